// DuckDB's library has a table of extensions that names each one's class. A class that is defined
// here is not looked for in the library, so that the linker leaves its code and data where they are.
#include <string>

namespace duckdb {

class ExtensionLoader;

// What an extension is to DuckDB 1.5: these functions, in this order.
class Extension {
public:
	virtual ~Extension();
	virtual void Load(ExtensionLoader &loader) = 0;
	virtual std::string Name() = 0;
	virtual std::string Version() const;
};

#define LEFT_OUT(CLASS, NAME)                              \
	class CLASS : public Extension {                       \
	public:                                                \
		void Load(ExtensionLoader &loader) override;       \
		std::string Name() override;                       \
		std::string Version() const override;              \
	};                                                     \
	void CLASS::Load(ExtensionLoader &) {}                 \
	std::string CLASS::Name() { return NAME; }             \
	std::string CLASS::Version() const { return "left out"; }

LEFT_OUT(IcuExtension, "icu")
LEFT_OUT(AutocompleteExtension, "autocomplete")

} // namespace duckdb

/* launcher LIBRARY ARGUMENT... runs the clickhouse-local that LIBRARY holds, in this process, with these arguments.
 * It exits with 0 when the queries have ended, and with 1 and the reason on stderr when one failed. */
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

typedef void *(*runner)(int argc, char **argv);
typedef const char *(*teller)(void *result);

static int fail(const char *what, const char *why) {
  fprintf(stderr, "launcher: %s: %s\n", what, why ? why : "unknown");
  return 1;
}

int main(int argc, char **argv) {
  if (argc < 2) return fail("usage", "launcher LIBRARY ARGUMENT...");
  void *library = dlopen(argv[1], RTLD_NOW);
  if (library == NULL) return fail("open the library", dlerror());
  runner run = (runner)dlsym(library, "chdb_query_cmdline");
  if (run == NULL) return fail("find chdb_query_cmdline", dlerror());
  teller error_of = (teller)dlsym(library, "chdb_result_error");
  if (error_of == NULL) return fail("find chdb_result_error", dlerror());
  argv[1] = "clickhouse";
  void *result = run(argc - 1, argv + 1);
  const char *error = result == NULL ? "no result" : error_of(result);
  if (error != NULL) fprintf(stderr, "%s\n", error);
  fflush(NULL);
  /* The library's threads do not end by themselves. */
  _exit(error != NULL);
}

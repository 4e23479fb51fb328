package clickhouse

import "strings"

// sqlFunctions are those that a text may call, in lower case; operators are functions, too. None of them reads files, the network, settings, dictionaries, other tables or what
// the server knows of itself, waits, or makes a long value of a short one.
var sqlFunctions = words(`
	plus minus multiply divide intdiv intdivorzero modulo moduloorzero negate abs equals notequals less greater lessorequals greaterorequals and or not xor
	in notin globalin globalnotin nullin notnullin like notlike ilike notilike match between isnull isnotnull isdistinctfrom isnotdistinctfrom _isdistinctfrom
	if multiif casewithexpression caseWithoutExpression casewithoutexpression coalesce ifnull nullif assumenotnull tonullable cast _cast accuratecast accuratecastornull exists

	count countif countdistinct uniq uniqexact uniqcombined uniqhll12 sum sumif summap sumkahan sumwithoverflow sumornull avg avgif avgweighted min minif max maxif any anyif anylast anyheavy argmin argmax
	grouparray grouparrayif groupuniqarray groupuniqarrayif grouparraysorted topk topkweighted groupbitand groupbitor groupbitxor quantile quantiles quantileexact quantilesexact quantileexactinclusive
	quantilesexactinclusive quantileexactexclusive quantiletdigest quantiletiming quantiledeterministic quantileif quantileexactif quantileexactinclusiveif median medianexact mediantdigest
	stddevpop stddevsamp varpop varsamp covarpop covarsamp corr skewpop skewsamp kurtpop kurtsamp entropy simplelinearregression stddev_pop stddev_samp var_pop var_samp covar_pop covar_samp any_value
	first_value last_value nth_value row_number rank dense_rank percent_rank cume_dist ntile lag lead laginframe leadinframe string_agg groupconcat group_concat grouping

	round floor ceil ceiling trunc truncate sign sqrt cbrt exp exp2 exp10 ln log log2 log10 log1p pow power sin cos tan asin acos atan atan2 degrees radians pi greatest least isnan isfinite isinfinite gcd lcm
	bitand bitor bitxor bitnot bitshiftleft bitshiftright bitcount rand rand32 rand64 width_bucket widthbucket

	lower upper lcase ucase lowerutf8 upperutf8 length lengthutf8 char_length character_length octet_length empty notempty substring substr substringutf8 mid left right leftutf8 rightutf8 trim ltrim rtrim trimboth
	trimleft trimright replace replaceone replaceall replaceregexpone replaceregexpall translate reverse reverseutf8 concat concat_ws concatwithseparator contains startswith endswith position positionutf8
	positioncaseinsensitive locate instr strpos splitbychar splitbystring splitbyregexp splitbywhitespace splitbynonalpha extract extractall extractgroups regexpextract countsubstrings countmatches
	ascii char hex unhex base64encode base64decode md5 sha1 sha256 cityhash64 siphash64 xxhash64 tostring tofixedstring formatreadablesize formatreadablequantity formatreadabletimedelta levenshteindistance editdistance
	jarosimilarity jarowinklersimilarity damerauLevenshteindistance dameraulevenshteindistance tovalidutf8 isvalidutf8 normalizeutf8nfc

	toint8 toint16 toint32 toint64 toint128 touint8 touint16 touint32 touint64 tofloat32 tofloat64 todecimal32 todecimal64 todecimal128 todate todate32 todatetime todatetime64 touuid tobool
	toint64ornull toint64orzero tofloat64ornull tofloat64orzero todateornull todatetimeornull todatetime64ornull toint32ornull touint64ornull totypename parsedatetime parsedatetimeornull parsedatetimebesteffort
	parsedatetimebesteffortornull parsedatetime64besteffort parsedatetime64besteffortornull reinterpretasint64

	now now64 today yesterday toyear toquarter tomonth todayofyear todayofmonth todayofweek tohour tominute tosecond tomillisecond toisoyear toisoweek toweek toyearweek toyyyymm toyyyymmdd
	year quarter month day dayofmonth dayofweek dayofyear hour minute second week yearweek date tostartofyear tostartofquarter tostartofmonth tostartofweek tostartofday tostartofhour tostartofminute
	tostartofsecond tostartoffiveminutes tostartoftenminutes tostartoffifteenminutes tostartofinterval tomonday tolastdayofmonth timeslot datetrunc date_trunc datediff date_diff timestampdiff age
	dateadd date_add datesub date_sub adddate subdate addyears addquarters addmonths addweeks adddays addhours addminutes addseconds subtractyears subtractquarters subtractmonths subtractweeks subtractdays
	subtracthours subtractminutes subtractseconds tointervalyear tointervalquarter tointervalmonth tointervalweek tointervalday tointervalhour tointervalminute tointervalsecond tointervalmillisecond tointervalmicrosecond
	tounixtimestamp tounixtimestamp64milli tounixtimestamp64micro fromunixtimestamp fromunixtimestamp64milli fromunixtimestamp64micro totimezone totime formatdatetime monthname datename makedate makedatetime

	array tuple tupleelement untuple arrayjoin arrayelement arrayconcat arrayslice arraydistinct arraysort arrayreversesort arrayreverse arrayuniq arrayfilter arraymap arrayexists arrayall arraycount arraysum arrayavg
	arraymin arraymax arrayfirst arraylast arrayfirstindex arrayzip arrayflatten arraycompact arrayintersect arrayenumerate arraystringconcat arraypushback arraypushfront has hasany hasall indexof countequal
	map mapkeys mapvalues mapcontains mapfromarrays

	jsonextract jsonextractstring jsonextractint jsonextractfloat jsonextractbool jsonextractraw jsonextractkeys jsonextractarrayraw jsonhas jsonlength jsontype isvalidjson simplejsonextractstring tojsonstring json_value json_exists
	generateuuidv4 bar`)

// words are the words of a text, in lower case.
func words(text string) map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields(strings.ToLower(text)) {
		all[word] = true
	}
	return all
}

package duckstore

import "strings"

// What a statement may be made of. Nothing on these lists reads files, the network, the environment, settings, other sessions or the catalogue, and
// nothing makes a long value of a short one (repeat, lpad, range as a list): values are not within DuckDB's limit of memory.

// sqlClasses are the kinds of expressions that may stand in a statement. Functions have a list of their own.
var sqlClasses = set("COLUMN_REF CONSTANT COMPARISON CONJUNCTION OPERATOR CASE CAST BETWEEN SUBQUERY STAR COLLATE LAMBDA LAMBDA_REF POSITIONAL_REFERENCE TYPE")

// sqlTypes are the kinds of all other parts.
var sqlTypes = set(`SELECT_NODE SET_OPERATION_NODE RECURSIVE_CTE_NODE CTE_NODE
	SUBQUERY JOIN EXPRESSION_LIST EMPTY EMPTY_FROM
	LIMIT_MODIFIER LIMIT_PERCENT_MODIFIER ORDER_MODIFIER DISTINCT_MODIFIER ORDER_DEFAULT ASCENDING DESCENDING`)

// sqlTableFunctions are those that may stand in FROM.
var sqlTableFunctions = set("range generate_series unnest")

// sqlWindows are the functions of OVER alone.
var sqlWindows = set("row_number rank dense_rank rank_dense percent_rank cume_dist ntile lag lead first_value last_value nth_value fill")

// sqlFunctions are those of expressions. Operators are functions, too.
var sqlFunctions = set(`
	+ - * / // % ** ^ & | << >> ~ || !__postfix @ ^@ ~~ !~~ ~~~ ~~* !~~* ~ ->> && <@ @> <-> <=>

	count count_star count_if countif sum avg mean min max any_value arbitrary first last list array_agg string_agg group_concat listagg product fsum sumkahan kahan_sum favg bool_and bool_or
	bit_and bit_or bit_xor arg_min arg_max argmin argmax min_by max_by arg_min_null arg_max_null median mode quantile quantile_cont quantile_disc approx_count_distinct approx_quantile approx_top_k
	stddev stddev_pop stddev_samp variance var_pop var_samp sem corr covar_pop covar_samp regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy
	entropy kurtosis kurtosis_pop skewness mad histogram geomean geometric_mean reservoir_quantile 

	abs ceil ceiling floor round round_even roundbankers trunc sign sqrt cbrt exp ln log log2 log10 pow power mod fmod fdiv divide multiply add subtract factorial gamma lgamma pi random 
	sin cos tan asin acos atan atan2 cot degrees radians greatest least isnan isinf isfinite even gcd lcm greatest_common_divisor least_common_multiple bit_count xor nextafter signbit 
	equi_width_bins

	lower upper lcase ucase length len strlen char_length character_length bit_length octet_length substring substr substring_grapheme left right left_grapheme right_grapheme length_grapheme
	trim ltrim rtrim replace reverse concat concat_ws contains starts_with ends_with prefix suffix instr strpos position split split_part string_split str_split string_to_array string_split_regex regexp_split_to_array
	str_split_regex regexp_matches regexp_full_match regexp_replace regexp_extract regexp_extract_all regexp_escape like_escape ilike_escape not_like_escape not_ilike_escape
	ascii unicode ord chr md5 sha1 sha256 hash hex to_hex unhex from_hex base64 to_base64 from_base64 url_encode url_decode strip_accents nfc_normalize format_bytes formatreadablesize
	levenshtein editdist3 damerau_levenshtein hamming mismatches jaccard jaro_similarity jaro_winkler_similarity parse_filename parse_dirname parse_path

	nullif constant_or_null typeof

	now today current_date get_current_timestamp get_current_time transaction_timestamp
	date_trunc datetrunc date_part datepart date_diff datediff date_sub datesub date_add time_bucket year month day hour minute second millisecond microsecond nanosecond quarter week weekday
	weekofyear yearweek dayofweek dayofmonth dayofyear isodow isoyear decade century millennium era epoch epoch_ms epoch_us epoch_ns dayname monthname last_day age timezone
	make_date make_time make_timestamp make_timestamp_ms make_timestamp_ns make_timestamptz to_timestamp strftime strptime try_strptime to_years to_months to_weeks to_days to_hours to_minutes to_seconds
	to_milliseconds to_microseconds to_quarters to_decades to_centuries to_millennia normalized_interval

	list_value list_pack array_value array_extract array_slice list_extract list_element list_slice list_contains list_has array_contains array_has list_has_any list_has_all array_has_any array_has_all
	list_position list_indexof array_position array_indexof list_distinct array_distinct list_unique array_unique list_sort array_sort list_reverse_sort array_reverse_sort list_reverse array_reverse
	list_concat list_cat array_concat array_cat list_append array_append list_prepend array_prepend list_filter array_filter filter 
	list_aggregate list_aggr array_aggregate array_aggr aggregate list_sum list_avg list_min list_max list_count list_any_value list_first list_last list_median list_mode list_string_agg list_intersect array_intersect
	list_zip array_zip list_where list_select list_grade_up flatten array_length array_to_string array_to_string_comma_default unnest cardinality
	struct_pack row struct_extract struct_extract_at struct_insert map map_extract map_extract_value map_keys map_values map_entries map_contains element_at map_from_entries

	json json_extract json_extract_path json_extract_string json_extract_path_text json_array_length json_type json_valid json_keys json_value json_exists json_contains json_structure to_json json_object json_array
	json_quote json_transform from_json json_group_array json_group_object

	uuid gen_random_uuid bar`)

// set is the words of a text.
func set(words string) map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields(words) {
		all[word] = true
	}
	return all
}

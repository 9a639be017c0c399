//! The functions that Rhai has itself, by their names, so that `check` knows a call of one that nobody has.

/// Every function of Rhai's that a policy may call, whatever its arguments.
const OF_RHAI: &str = "abs acos acosh all append as_string asin asinh atan atanh bits blob bytes call ceiling chars chop \
    clear contains cos cosh crop curry dedup drain end ends_with exp extract fill_with filter find find_map floor \
    for_each Fn fraction get get_bit get_bits index_of insert int is_anonymous is_def_fn is_def_var is_empty is_even \
    is_exclusive is_finite is_inclusive is_infinite is_nan is_odd is_shared is_zero keys len ln log make_lower make_upper \
    map max merge min mixin name order order_by order_desc pad parse_decimal parse_int parse_json pop push range reduce \
    reduce_rev remove replace retain reverse round round_down round_half_down round_half_up round_up set set_bit \
    set_bits set_tag shift sign sin sinh some sort sort_by sort_desc splice split split_rev sqrt start starts_with \
    sub_string tag take tan tanh to_array to_binary to_blob to_chars to_debug to_decimal to_degrees to_hex to_int to_json \
    to_lower to_octal to_radians to_string to_upper trim truncate type_of values zip sleep exit get_fn_metadata_list E PI";

/// Whether Rhai has a function of that name. Operators have no names.
pub(super) fn is_of_rhai(name: &str) -> bool {
    let is_word = name.starts_with(|first: char| first.is_alphabetic() || first == '_');
    !is_word || OF_RHAI.split_whitespace().any(|known| known == name)
}

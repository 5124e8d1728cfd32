//! The tail of `retry`.

use super::*;

#[test]
fn retry_takes_suites_up_to_the_end_of_the_line() {
    check(&[
        ("@bot retry", "[retry,suites:[]]"),
        (
            "@bot retry f26-sanity unit/x86 _y",
            "[retry,suites:[f26-sanity,unit/x86,_y]]",
        ),
        ("@bot retry a, b; c", "[retry,suites:[a,b,c]]"),
        (
            "@bot retry clean force ping",
            "[retry,suites:[clean,force,ping]]",
        ),
        ("@bot retry a\n@bot ping", "[retry,suites:[a],ping]"),
        ("@bot retry a\r\n@bot ping", "[retry,suites:[a],ping]"),
        ("@bot p=1 retry a", "[priority,value:1,retry,suites:[a]]"),
        ("@bot retry os=linux", "[retry,suites:[os=linux]]"),
    ]);
}

#[test]
fn suites_are_quoted_where_they_have_spaces() {
    check(&[
        (
            "@bot retry \"unit tests\" lint",
            "[retry,suites:[unit tests,lint]]",
        ),
        (
            "@bot retry 'unit tests', “f38 | x” ‘it doesn’t’",
            "[retry,suites:[unit tests,f38 | x,it doesn’t]]",
        ),
        (
            "@bot retry „a b“ «c d» `e f` ”g h\"",
            "[retry,suites:[a b,c d,e f,g h]]",
        ),
        (
            "@bot retry 'it doesn't start' x",
            "[retry,suites:[it doesn't start,x]]",
        ),
        ("@bot retry \"clean -- up\"", "[retry,suites:[clean -- up]]"),
        ("@bot retry \"\" a \" \"", "[retry,suites:[a]]"),
        ("@bot retry a \"unclosed b", "[retry,suites:[a]]"),
    ]);
}

#[test]
fn a_remark_after_retry_takes_the_rest_of_its_line() {
    for remark in [
        "--", "-", "(", "—", "#12", ":", "…", "/", "'cause", "🤞", "[x]", "*really*", "@alice",
    ] {
        let comment = format!("@bot retry {remark} spurious r+ network\n@bot ping");
        assert_eq!(commands(&comment), "[retry,suites:[],ping]", "{comment}");
        let comment = format!("@bot retry unit {remark} spurious");
        assert_eq!(commands(&comment), "[retry,suites:[unit]]", "{comment}");
    }
}

#[test]
fn commands_that_no_suite_is_called_by_are_read_after_retry() {
    check(&[
        ("@bot retry p=5", "[retry,suites:[],priority,value:5]"),
        (
            "@bot retry r+ 0123",
            "[retry,suites:[],approve,approver:jack,commit:0123]",
        ),
        (
            "@bot retry a rollup- b",
            "[retry,suites:[a],rollup,value:0]",
        ),
        ("@bot retry @bot ping", "[retry,suites:[],ping]"),
        ("@bot retry \"p=5\"", "[retry,suites:[p=5]]"),
    ]);
}

//! Amounts as text and as parts of one another.

use expect_test::expect;
use proptest::prelude::*;

use crate::micros::Micros;
use crate::sample::money;

#[test]
fn an_amount_shows_two_digits_or_as_many_as_it_takes() {
    let shown = ["0", "-0", "1", "007.10", "12.5", "-0.000001", "1000000000", "3.1400000000"];
    let shown = shown.map(|text| format!("{text} is {}\n", money(text))).concat();
    expect![[r#"
        0 is 0.00
        -0 is 0.00
        1 is 1.00
        007.10 is 7.10
        12.5 is 12.50
        -0.000001 is -0.000001
        1000000000 is 1000000000.00
        3.1400000000 is 3.14
    "#]]
    .assert_eq(&shown);
}

#[test]
fn what_is_no_amount_says_why() {
    let wrong = [
        "",
        "-",
        ".",
        "1.",
        ".5",
        "+1",
        "1e3",
        "1,5",
        "--1",
        " 1",
        "0.0000001",
        "1000000000.000001",
        "99999999999999999999",
    ];
    let shown = wrong.map(|text| format!("{}\n", text.parse::<Micros>().unwrap_err())).concat();
    expect![[r#"
        `` is not an amount; write a decimal such as "1200.00"
        `-` is not an amount; write a decimal such as "1200.00"
        `.` is not an amount; write a decimal such as "1200.00"
        `1.` is not an amount; write a decimal such as "1200.00"
        `.5` is not an amount; write a decimal such as "1200.00"
        `+1` is not an amount; write a decimal such as "1200.00"
        `1e3` is not an amount; write a decimal such as "1200.00"
        `1,5` is not an amount; write a decimal such as "1200.00"
        `--1` is not an amount; write a decimal such as "1200.00"
        ` 1` is not an amount; write a decimal such as "1200.00"
        `0.0000001` is finer than a millionth
        `1000000000.000001` is more than 1000000000.00
        `99999999999999999999` is more than 1000000000.00
    "#]]
    .assert_eq(&shown);
}

#[test]
fn a_part_is_rounded_half_up_to_a_hundredth() {
    let cases = [
        ("0.01", 1, 2),
        ("0.01", 49, 100),
        ("-0.01", 1, 2),
        ("10", 1, 3),
        ("10", 2, 3),
        ("99.999", 1, 1),
        ("99.999", 2, 2),
        ("99.999", 2, 1),
        ("1000000000", u64::MAX, 1),
    ];
    let shown = cases.map(|(amount, numerator, denominator)| {
        format!("{amount} * {numerator}/{denominator} = {}\n", money(amount).pro_rata(numerator, denominator))
    });
    expect![[r#"
        0.01 * 1/2 = 0.01
        0.01 * 49/100 = 0.00
        -0.01 * 1/2 = 0.00
        10 * 1/3 = 3.33
        10 * 2/3 = 6.67
        99.999 * 1/1 = 99.999
        99.999 * 2/2 = 99.999
        99.999 * 2/1 = 200.00
        1000000000 * 18446744073709551615/1 = 9223372036854.775807
    "#]]
    .assert_eq(&shown.concat());
}

#[test]
fn sums_stop_at_what_fits() {
    assert_eq!(Micros::new(i64::MAX) + Micros::new(1), Micros::new(i64::MAX));
    assert_eq!(Micros::new(i64::MIN) - Micros::new(1), Micros::new(i64::MIN));
    assert_eq!(-Micros::new(i64::MIN), Micros::new(i64::MAX));
    assert_eq!([money("1"), money("2.50"), money("-4")].into_iter().sum::<Micros>(), money("-0.5"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_the_same(micros in -Micros::MAX.as_micros()..=Micros::MAX.as_micros()) {
        let amount = Micros::new(micros);
        prop_assert_eq!(amount.to_string().parse::<Micros>(), Ok(amount));
    }

    #[test]
    fn a_part_is_within_half_a_hundredth(
        micros in -Micros::MAX.as_micros()..=Micros::MAX.as_micros(), numerator in 0..3_600_u64, denominator in 1..3_600_u64
    ) {
        let part = Micros::new(micros).pro_rata(numerator, denominator);
        prop_assume!(part.as_micros() != i64::MAX);
        let off = i128::from(part.as_micros()) * i128::from(denominator) - i128::from(micros) * i128::from(numerator);
        if numerator == denominator {
            prop_assert_eq!(off, 0);
        } else {
            let half = i128::from(denominator) * 5_000;
            prop_assert!(-half < off && off <= half);
        }
    }
}

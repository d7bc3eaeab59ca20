//! Judged by 128-bit arithmetic where that is exact, and by what CPython 3.11 gave for all pairs of a list of awkward
//! operands: the sums in the tables below are FNV-1a over its results, one line each (bits of a float in hex, `N` for
//! NaN, `E` for an exception or a result past 64 bits).

use super::*;
use proptest::prelude::*;

const FLOATS: [f64; 22] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    2.0,
    -2.0,
    3.0,
    -3.0,
    0.5,
    -0.5,
    0.1,
    -0.1,
    1e308,
    -1e308,
    5e-324,
    -5e-324,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    1e16,
    123456.789,
    -7.5,
];

const INTS: [i64; 17] = [
    0,
    1,
    -1,
    2,
    3,
    7,
    10,
    i64::MIN,
    i64::MAX,
    1 << 53,
    (1 << 53) + 1,
    (1 << 53) - 1,
    (1 << 62) + 1,
    -(1 << 62) - 3,
    1_000_000_000_000_000_009,
    -1_000_000_000_000_000_007,
    6_148_914_691_236_517_205,
];

fn fnv(lines: impl Iterator<Item = String>) -> u64 {
    let bytes = lines.flat_map(|line| (line + "\n").into_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn float_line(result: Result<f64, Fault>) -> String {
    match result {
        Ok(value) if value.is_nan() => "N".to_owned(),
        Ok(value) => format!("{:#x}", value.to_bits()),
        Err(_) => "E".to_owned(),
    }
}

fn float_sum(f: fn(f64, f64) -> Result<f64, Fault>) -> u64 {
    fnv(FLOATS.iter().flat_map(|a| FLOATS.iter().map(move |b| float_line(f(*a, *b)))))
}

fn int_sum(f: fn(i64, i64) -> Result<i64, Fault>) -> u64 {
    let line = |r: Result<i64, Fault>| r.map_or("E".to_owned(), |v| v.to_string());
    fnv(INTS.iter().flat_map(|a| INTS.iter().map(move |b| line(f(*a, *b)))))
}

#[test]
fn floats_are_cpythons() {
    assert_eq!(float_sum(fmod), 0x88a6_773b_f6d4_0a76);
    assert_eq!(float_sum(ffloordiv), 0xe3a3_b8ee_1eb4_2fcf);
    assert_eq!(float_sum(fpow), 0xdb33_aa6a_86cf_83eb);
    assert_eq!(float_sum(fdiv), 0xef09_5833_214c_8219);
}

#[test]
fn ints_are_cpythons() {
    let quotients = INTS.iter().flat_map(|a| INTS.iter().map(move |b| float_line(itruediv(*a, *b))));
    assert_eq!(fnv(quotients), 0xaa9a_3e3c_853d_6c62);
    assert_eq!(int_sum(ifloordiv), 0xc2ca_37d5_fa45_a279);
    assert_eq!(int_sum(imod), 0x79b0_d008_c9cf_1e5e);
}

#[test]
fn reprs_are_cpythons() {
    let floats = [
        0.0,
        -0.0,
        1.0,
        1e15,
        1e16,
        123456789012345680.0,
        1e22,
        1e23,
        0.0001,
        0.00001,
        1.5e-7,
        5e-324,
        f64::MAX,
        -2.5,
        0.1,
        1.0 / 3.0,
        1e100,
        9007199254740992.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        9999999999999998.0,
        1234567890123456.8,
    ];
    assert_eq!(fnv(floats.iter().map(|f| float_repr(*f))), 0x3c06_99be_a685_2b77);
}

#[test]
fn traps_say_the_values() {
    let message = |r: Result<i64, Fault>| r.unwrap_err().to_string();
    assert_eq!(message(iadd(i64::MAX, 1)), "overflow: 9223372036854775807 + 1 does not fit 64 bits");
    assert_eq!(message(ifloordiv(3, 0)), "division: 3 // 0: division by zero");
    assert_eq!(message(imod(3, 0)), "division: 3 % 0: division by zero");
    assert_eq!(message(ifloordiv(i64::MIN, -1)), "overflow: -9223372036854775808 // -1 does not fit 64 bits");
    assert_eq!(message(ineg(i64::MIN)), "overflow: -(-9223372036854775808) does not fit 64 bits");
    assert_eq!(message(ipow(2, -1)), "value: 2 ** -1: negative exponent of an int");
    assert_eq!(message(ishl(1, 63)), "overflow: 1 << 63 does not fit 64 bits");
    assert_eq!(message(ishr(1, -1)), "value: 1 >> -1: negative shift count");
    assert_eq!(message(float_to_int(f64::NAN)), "value: int(nan): not a number");
    assert_eq!(message(float_to_int(1e19)), "overflow: int(1e+19) does not fit 64 bits");
    let message = |r: Result<f64, Fault>| r.unwrap_err().to_string();
    assert_eq!(message(itruediv(1, 0)), "division: 1 / 0: division by zero");
    assert_eq!(message(fdiv(1.0, -0.0)), "division: 1.0 / -0.0: division by zero");
    assert_eq!(message(fpow(0.0, -1.0)), "division: 0.0 ** -1.0: zero to a negative power");
    assert_eq!(message(fpow(-8.0, 0.5)), "value: -8.0 ** 0.5 is not a real number");
    assert_eq!(message(fpow(10.0, 400.0)), "overflow: 10.0 ** 400.0 does not fit a float");
}

#[test]
fn limits_of_shifts_powers_and_conversions() {
    assert_eq!(ishr(-5, 64), Ok(-1));
    assert_eq!(ishr(5, i64::MAX), Ok(0));
    assert_eq!(ishl(0, i64::MAX), Ok(0));
    assert_eq!(ishl(-1, 63), Ok(i64::MIN));
    assert_eq!(ipow(-2, 63), Ok(i64::MIN));
    assert_eq!(ipow(0, 0), Ok(1));
    assert_eq!(ipow(-1, i64::MAX), Ok(-1));
    assert_eq!(ipow(3_037_000_499, 2), Ok(9_223_372_030_926_249_001));
    assert_eq!(float_to_int(-9_223_372_036_854_775_808.0), Ok(i64::MIN));
    assert_eq!(float_to_int(-0.9), Ok(0));
    assert_eq!(imod(i64::MIN, -1), Ok(0));
}

/// Every row of the table either computes here or says in its flags why it can't.
#[test]
fn the_dispatcher_knows_every_scalar_row() {
    use crate::module::Imm;
    use crate::ops::{ALLOCATES, DURABLE, ENDS_BLOCK, HOST, ImmKind, Operands, READS, STOPS, SYNC, WRITES};
    for op in Op::ALL {
        let imm = match op.imm() {
            ImmKind::Int => Imm::Int(1),
            ImmKind::Float => Imm::Float(1.0),
            ImmKind::Bool => Imm::Bool(true),
            _ => Imm::No,
        };
        let computed = scalar(*op, &[1, 1], &imm).is_some();
        let mut other = [READS, WRITES, ALLOCATES, HOST, SYNC, DURABLE, ENDS_BLOCK, STOPS].iter();
        let elsewhere = other.any(|flag| op.effect().has(*flag)) || matches!(op, Op::Const | Op::CallBuiltin);
        assert_eq!(computed, !elsewhere, "{op}");
        if computed {
            assert!(matches!(op.operands(), Operands::Fixed(_)), "{op}");
        }
    }
}

fn ints() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), -100i64..100, proptest::sample::select(&INTS[..])]
}

proptest! {
    #[test]
    fn ints_against_128_bits(a in ints(), b in ints()) {
        let (wa, wb) = (i128::from(a), i128::from(b));
        prop_assert_eq!(iadd(a, b).ok(), i64::try_from(wa + wb).ok());
        prop_assert_eq!(isub(a, b).ok(), i64::try_from(wa - wb).ok());
        prop_assert_eq!(imul(a, b).ok(), i64::try_from(wa * wb).ok());
        prop_assert_eq!(ineg(a).ok(), i64::try_from(-wa).ok());
        if b != 0 {
            let rest = ((wa % wb) + wb) % wb;
            prop_assert_eq!(imod(a, b).ok(), i64::try_from(rest).ok());
            prop_assert_eq!(ifloordiv(a, b).ok(), i64::try_from((wa - rest) / wb).ok());
        }
    }

    #[test]
    fn shifts_and_powers_against_128_bits(a in ints(), b in 0i64..70) {
        let count = u32::try_from(b).unwrap();
        let wide = if a == 0 { Some(0) } else if count > 63 { None } else { Some(i128::from(a) << count) };
        prop_assert_eq!(ishl(a, b).ok(), wide.and_then(|w| i64::try_from(w).ok()));
        prop_assert_eq!(ishr(a, b).unwrap(), i64::try_from(i128::from(a) >> count).unwrap());
        let power = i128::from(a).checked_pow(count).and_then(|p| i64::try_from(p).ok());
        prop_assert_eq!(ipow(a, b).ok(), power);
    }

    /// The true quotient lies between the midpoints to the neighbours of the result.
    #[test]
    fn true_division_rounds_correctly(a in ints(), b in ints()) {
        prop_assume!(b != 0 && a != 0);
        let got = itruediv(a, b).unwrap();
        let (n, d) = (u128::from(a.unsigned_abs()), u128::from(b.unsigned_abs()));
        prop_assert_eq!(got < 0.0, (a < 0) != (b < 0));
        // got = m * 2^e, exactly; the error |n/d - m*2^e| must be at most 2^(e-1), with a tie only for an even m.
        let bits = got.abs().to_bits();
        let (m, e) = ((bits & ((1 << 52) - 1)) | (1 << 52), (bits >> 52) as i32 - 1075);
        // Compare 2n with (2m ± 1) * d * 2^e, on both sides scaled to whole numbers.
        let (left, right) = if e >= 0 { (0, e as u32) } else { ((-e) as u32, 0) };
        let exact = big(2 * n, left);
        let low = big((2 * u128::from(m) - 1) * d, right);
        let high = big((2 * u128::from(m) + 1) * d, right);
        let even = m % 2 == 0;
        prop_assert!(low < exact || (even && low == exact), "{a} / {b} = {got}");
        prop_assert!(exact < high || (even && exact == high), "{a} / {b} = {got}");
    }

    #[test]
    fn float_division_fits_its_remainder(a in -1e15f64..1e15, b in -1e6f64..1e6) {
        prop_assume!(b != 0.0);
        let (q, r) = (ffloordiv(a, b).unwrap(), fmod(a, b).unwrap());
        prop_assert_eq!(q.floor(), q);
        prop_assert!(r == 0.0 || (r < 0.0) == (b < 0.0));
        prop_assert!(r.abs() < b.abs() || r.abs() == b.abs());
        prop_assert!((q * b + r - a).abs() <= a.abs() * 1e-15 + b.abs() * 1e-15);
    }

    #[test]
    fn repr_reads_back(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        prop_assume!(!value.is_nan());
        prop_assert_eq!(float_repr(value).parse::<f64>().unwrap().to_bits(), bits);
    }
}

/// `value * 2^shift` as words, most significant first, so that derived order is the numbers' order.
fn big(value: u128, shift: u32) -> [u64; 5] {
    let mut words = [0u64; 5];
    for bit in 0..128u32 {
        if value >> bit & 1 == 1 {
            let at = bit + shift;
            words[4 - (at / 64) as usize] |= 1 << (at % 64);
        }
    }
    words
}

#[test]
fn time_and_chance() {
    assert_eq!(now(1_700_000_000_123), 1_700_000_000.123);
    assert_eq!(random(0), 0.0);
    assert_eq!(random(u64::MAX), 1.0 - f64::EPSILON / 2.0);
    assert_eq!(random(1 << 63), 0.5);
    assert_eq!(uuid(0, 0), "00000000-0000-4000-8000-000000000000");
    assert_eq!(uuid(u64::MAX, u64::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    assert_eq!(uuid(0x0123_4567_89ab_cdef, 0x0123_4567_89ab_cdef), "01234567-89ab-4def-8123-456789abcdef");
}

//! Bodies of Python's `math`. Results are those of the platform's mathematical library, as in CPython; what has no real
//! result traps with CPython's "math domain error", what is too large with "math range error".

use super::args::{float, int, overflow, value_error};
use super::machine::{Call, Machine};
use super::number::float_to_int;
use crate::structural::float_repr;
use crate::trap::Fault;

type Result64 = Result<u64, Fault>;

/// One result of one float: a NaN out of what was none is a domain error, an infinity out of a finite number a range error
/// (or, where the function has a pole, a domain error).
fn checked(name: &str, x: f64, result: f64, pole: bool) -> Result64 {
    if (result.is_nan() && !x.is_nan()) || (result.is_infinite() && x.is_finite() && pole) {
        return Err(value_error(format!("math domain error: math.{name}({})", float_repr(x))));
    }
    if result.is_infinite() && x.is_finite() {
        return Err(overflow(format!("math range error: math.{name}({})", float_repr(x))));
    }
    Ok(result.to_bits())
}

macro_rules! of_one_float {
    ($($name:ident = $f:expr, $pole:literal;)*) => {$(
        pub(super) fn $name(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
            let f: fn(f64) -> f64 = $f;
            checked(stringify!($name), float(a[0]), f(float(a[0])), $pole)
        }
    )*};
}

of_one_float! {
    sqrt = f64::sqrt, false;
    fabs = f64::abs, false;
    exp = f64::exp, false;
    log = f64::ln, true;
    log2 = f64::log2, true;
    log10 = f64::log10, true;
    sin = f64::sin, false;
    cos = f64::cos, false;
    tan = f64::tan, false;
    asin = f64::asin, false;
    acos = f64::acos, false;
    atan = f64::atan, false;
    sinh = f64::sinh, false;
    cosh = f64::cosh, false;
    tanh = f64::tanh, false;
    log1p = f64::ln_1p, true;
    expm1 = f64::exp_m1, false;
}

/// As in CPython an angle too large for degrees is infinite, and no mistake.
pub(super) fn degrees(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok((float(a[0]) * (180.0 / std::f64::consts::PI)).to_bits())
}

pub(super) fn radians(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok((float(a[0]) * (std::f64::consts::PI / 180.0)).to_bits())
}

pub(super) fn log_base(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let (x, base) = (float(a[0]), float(a[1]));
    let top = float(checked("log", x, x.ln(), true)?);
    let bottom = float(checked("log", base, base.ln(), true)?);
    if bottom == 0.0 {
        let message = format!("math.log({}, {}): division by zero", float_repr(x), float_repr(base));
        return Err(Fault::new(crate::trap::TrapKind::Division, message));
    }
    Ok((top / bottom).to_bits())
}

pub(super) fn atan2(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(float(a[0]).atan2(float(a[1])).to_bits())
}

pub(super) fn hypot(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(float(a[0]).hypot(float(a[1])).to_bits())
}

pub(super) fn copysign(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(float(a[0]).copysign(float(a[1])).to_bits())
}

/// `math.fmod`: the remainder with the sign of the first.
pub(super) fn fmod(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let (x, y) = (float(a[0]), float(a[1]));
    if (y == 0.0 && !x.is_nan()) || (x.is_infinite() && !y.is_nan()) {
        return Err(value_error(format!("math domain error: math.fmod({}, {})", float_repr(x), float_repr(y))));
    }
    Ok((x % y).to_bits())
}

/// `math.pow`, which unlike `**` gives 0 raised to a negative power and a root of a negative number a domain error.
pub(super) fn pow(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let (x, y) = (float(a[0]), float(a[1]));
    let result = x.powf(y);
    let call = || format!("math.pow({}, {})", float_repr(x), float_repr(y));
    if (result.is_nan() && !x.is_nan() && !y.is_nan()) || (x == 0.0 && y < 0.0 && y.is_finite()) {
        return Err(value_error(format!("math domain error: {}", call())));
    }
    if result.is_infinite() && x.is_finite() && y.is_finite() {
        return Err(overflow(format!("math range error: {}", call())));
    }
    Ok(result.to_bits())
}

pub(super) fn floor(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(float_to_int(float(a[0]).floor())? as u64)
}

pub(super) fn ceil(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(float_to_int(float(a[0]).ceil())? as u64)
}

pub(super) fn is_nan(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(float(a[0]).is_nan()))
}

pub(super) fn is_inf(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(float(a[0]).is_infinite()))
}

pub(super) fn is_finite(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    Ok(u64::from(float(a[0]).is_finite()))
}

pub(super) fn gcd(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let (mut x, mut y) = (int(a[0]).unsigned_abs(), int(a[1]).unsigned_abs());
    while y != 0 {
        (x, y) = (y, x % y);
    }
    let gcd = i64::try_from(x).map_err(|_| overflow(format!("math.gcd(…) = {x} does not fit 64 bits")))?;
    Ok(gcd as u64)
}

pub(super) fn isqrt(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let n = int(a[0]);
    if n < 0 {
        return Err(value_error(format!("isqrt() argument must be nonnegative: {n}")));
    }
    Ok(n.isqrt() as u64)
}

pub(super) fn lcm(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    if a[0] == 0 || a[1] == 0 {
        return Ok(0);
    }
    let (x, y) = (i128::from(int(a[0])).abs(), i128::from(int(a[1])).abs());
    let (mut g, mut rest) = (x, y);
    while rest != 0 {
        (g, rest) = (rest, g % rest);
    }
    fitting(x / g * y, "math.lcm(…)")
}

/// A result that has to fit 64 bits.
fn fitting(value: i128, what: &str) -> Result64 {
    match i64::try_from(value) {
        Ok(value) => Ok(value as u64),
        Err(_) => Err(overflow(format!("{what} does not fit 64 bits"))),
    }
}

pub(super) fn factorial(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let n = int(a[0]);
    if n < 0 {
        return Err(value_error("factorial() not defined for negative values"));
    }
    if n > 20 {
        return Err(overflow(format!("math.factorial({n}) does not fit 64 bits")));
    }
    fitting((1..=i128::from(n)).product(), "math.factorial(…)")
}

/// Refuses negative arguments of `comb` and `perm`.
fn counts(n: i64, k: i64) -> Result<(), Fault> {
    match (n < 0, k < 0) {
        (true, _) => Err(value_error("n must be a non-negative integer")),
        (_, true) => Err(value_error("k must be a non-negative integer")),
        _ => Ok(()),
    }
}

pub(super) fn comb(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let (n, k) = (int(a[0]), int(a[1]));
    counts(n, k)?;
    if k > n {
        return Ok(0);
    }
    let mut result = 1i128;
    for at in 1..=i128::from(k.min(n - k)) {
        // Each intermediate result is a binomial of its own, and the largest is the last.
        result = result * (i128::from(n) + 1 - at) / at;
        fitting(result, "math.comb(…)")?;
    }
    fitting(result, "math.comb(…)")
}

pub(super) fn perm(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let (n, k) = (int(a[0]), int(a[1]));
    counts(n, k)?;
    if k > n {
        return Ok(0);
    }
    let mut result = 1i128;
    for at in 0..k {
        result *= i128::from(n - at);
        fitting(result, "math.perm(…)")?;
    }
    fitting(result, "math.perm(…)")
}

pub(super) fn prod_ints(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let slots = m.list_slots(a[0]);
    if slots.contains(&0) {
        return Ok(0);
    }
    let product = slots.iter().try_fold(1i64, |product, slot| product.checked_mul(int(*slot)));
    product.map(|p| p as u64).ok_or_else(|| overflow("math.prod(…) does not fit 64 bits"))
}

pub(super) fn prod_floats(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let slots = m.list_slots(a[0]);
    Ok(slots.iter().fold(1.0, |product, slot| product * float(*slot)).to_bits())
}

/// `math.isclose`: the third argument is the relative tolerance, the fourth the absolute one.
pub(super) fn is_close(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result64 {
    let (x, y) = (float(a[0]), float(a[1]));
    let relative = a.get(2).map_or(1e-9, |t| float(*t));
    let absolute = a.get(3).map_or(0.0, |t| float(*t));
    if relative < 0.0 || absolute < 0.0 {
        return Err(value_error("tolerances must be non-negative"));
    }
    if x == y {
        return Ok(1);
    }
    if x.is_infinite() || y.is_infinite() {
        return Ok(0);
    }
    let difference = (x - y).abs();
    Ok(u64::from(difference <= (relative * y).abs() || difference <= (relative * x).abs() || difference <= absolute))
}

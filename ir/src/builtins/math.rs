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

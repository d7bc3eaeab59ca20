//! What the scalar instructions compute: one function for each, with the semantics of the source language down to the
//! sign of a zero and the words of a trap. The constant folder, the evaluator, the VM and the slow path of compiled code
//! all call these, so that none of them can disagree.
//!
//! It knows no heap: equality and order of objects are in `structural`.

use crate::module::Imm;
use crate::ops::Op;
use crate::structural::float_repr;
use crate::trap::{Fault, TrapKind};

#[cold]
fn overflow(a: i64, symbol: &str, b: i64) -> Fault {
    Fault::new(TrapKind::Overflow, format!("{a} {symbol} {b} does not fit 64 bits"))
}

#[cold]
fn by_zero(a: impl std::fmt::Display, symbol: &str, b: impl std::fmt::Display) -> Fault {
    Fault::new(TrapKind::Division, format!("{a} {symbol} {b}: division by zero"))
}

#[cold]
fn bad_count(a: i64, symbol: &str, b: i64) -> Fault {
    Fault::new(TrapKind::Value, format!("{a} {symbol} {b}: negative shift count"))
}

/// `a + b`.
#[inline]
pub fn iadd(a: i64, b: i64) -> Result<i64, Fault> {
    a.checked_add(b).ok_or_else(|| overflow(a, "+", b))
}

/// `a - b`.
#[inline]
pub fn isub(a: i64, b: i64) -> Result<i64, Fault> {
    a.checked_sub(b).ok_or_else(|| overflow(a, "-", b))
}

/// `a * b`.
#[inline]
pub fn imul(a: i64, b: i64) -> Result<i64, Fault> {
    a.checked_mul(b).ok_or_else(|| overflow(a, "*", b))
}

/// `-a`.
#[inline]
pub fn ineg(a: i64) -> Result<i64, Fault> {
    a.checked_neg().ok_or_else(|| Fault::new(TrapKind::Overflow, format!("-({a}) does not fit 64 bits")))
}

/// `a // b`: rounded towards minus infinity.
#[inline]
pub fn ifloordiv(a: i64, b: i64) -> Result<i64, Fault> {
    if b == 0 {
        return Err(by_zero(a, "//", b));
    }
    let quotient = a.checked_div(b).ok_or_else(|| overflow(a, "//", b))?;
    // The remainder can't overflow where the quotient did not.
    let rounded_up = a % b != 0 && (a < 0) != (b < 0);
    Ok(quotient - i64::from(rounded_up))
}

/// `a % b`: with the sign of `b`.
#[inline]
pub fn imod(a: i64, b: i64) -> Result<i64, Fault> {
    if b == 0 {
        return Err(by_zero(a, "%", b));
    }
    let rest = a.wrapping_rem(b);
    Ok(if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest })
}

/// `a ** b`.
pub fn ipow(a: i64, b: i64) -> Result<i64, Fault> {
    if b < 0 {
        return Err(Fault::new(TrapKind::Value, format!("{a} ** {b}: negative exponent of an int")));
    }
    let (mut result, mut base, mut exponent) = (1i64, a, b);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result.checked_mul(base).ok_or_else(|| overflow(a, "**", b))?;
        }
        exponent >>= 1;
        // The last square is not needed, so it must not be what overflows.
        if exponent > 0 {
            base = base.checked_mul(base).ok_or_else(|| overflow(a, "**", b))?;
        }
    }
    Ok(result)
}

/// `a / b`: the double nearest to the exact quotient, ties to even; the sign of a zero is that of the operands' signs.
pub fn itruediv(a: i64, b: i64) -> Result<f64, Fault> {
    const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;
    if b == 0 {
        return Err(by_zero(a, "/", b));
    }
    let (n, d) = (a.unsigned_abs(), b.unsigned_abs());
    let magnitude = if n == 0 {
        0.0
    } else if n <= EXACT && d <= EXACT {
        // Both operands are exact, so that the one division rounds once.
        n as f64 / d as f64
    } else {
        // A quotient of at least 63 bits whose lowest bit also stands for everything below it rounds as the exact one
        // does; scaling by a power of two is exact, since the result is far from the limits of the exponent.
        let shift = u128::from(n).leading_zeros();
        let wide = u128::from(n) << shift;
        let quotient = (wide / u128::from(d)) | u128::from(wide % u128::from(d) != 0);
        quotient as f64 * f64::from_bits(u64::from(1023 - shift) << 52)
    };
    Ok(if (a < 0) != (b < 0) { -magnitude } else { magnitude })
}

/// `a << b`.
#[inline]
pub fn ishl(a: i64, b: i64) -> Result<i64, Fault> {
    if b < 0 {
        return Err(bad_count(a, "<<", b));
    }
    if a == 0 {
        return Ok(0);
    }
    let shifted = if b < 64 { a << b } else { 0 };
    if b < 64 && shifted >> b == a { Ok(shifted) } else { Err(overflow(a, "<<", b)) }
}

/// `a >> b`.
#[inline]
pub fn ishr(a: i64, b: i64) -> Result<i64, Fault> {
    if b < 0 {
        return Err(bad_count(a, ">>", b));
    }
    Ok(a >> b.min(63))
}

/// `float(a)`: the nearest double, ties to even.
#[inline]
pub fn int_to_float(a: i64) -> f64 {
    a as f64
}

/// `a / b`.
#[inline]
pub fn fdiv(a: f64, b: f64) -> Result<f64, Fault> {
    if b == 0.0 { Err(by_zero(float_repr(a), "/", float_repr(b))) } else { Ok(a / b) }
}

/// Remainder with the sign of the divisor, which is not zero.
fn floored_remainder(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest == 0.0 {
        0.0f64.copysign(b)
    } else if (b < 0.0) != (rest < 0.0) {
        rest + b
    } else {
        rest
    }
}

/// `a % b`: with the sign of `b`, also where it is zero.
pub fn fmod(a: f64, b: f64) -> Result<f64, Fault> {
    if b == 0.0 { Err(by_zero(float_repr(a), "%", float_repr(b))) } else { Ok(floored_remainder(a, b)) }
}

/// `a // b`: such that it fits `a % b`, which is exact; a zero has the sign of the quotient.
pub fn ffloordiv(a: f64, b: f64) -> Result<f64, Fault> {
    if b == 0.0 {
        return Err(by_zero(float_repr(a), "//", float_repr(b)));
    }
    let rest = a % b;
    let mut quotient = (a - rest) / b;
    if rest != 0.0 && (b < 0.0) != (rest < 0.0) {
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return Ok(0.0f64.copysign(a / b));
    }
    // What was divided is a whole multiple but for the rounding of the division, so the nearest whole number is meant.
    let floor = quotient.floor();
    Ok(if quotient - floor > 0.5 { floor + 1.0 } else { floor })
}

/// `a ** b`.
pub fn fpow(a: f64, b: f64) -> Result<f64, Fault> {
    // The cases where platforms' libraries have differed are decided here, as IEEE 754 and Python have them.
    if b == 0.0 || a == 1.0 {
        return Ok(1.0);
    }
    if a.is_nan() || b.is_nan() {
        return Ok(f64::NAN);
    }
    let odd = b.abs() % 2.0 == 1.0;
    if b.is_infinite() {
        let magnitude = a.abs();
        return Ok(match magnitude {
            1.0 => 1.0,
            _ if (b > 0.0) == (magnitude > 1.0) => f64::INFINITY,
            _ => 0.0,
        });
    }
    if a.is_infinite() {
        let magnitude: f64 = if b > 0.0 { f64::INFINITY } else { 0.0 };
        return Ok(if odd { magnitude.copysign(a) } else { magnitude });
    }
    if a == 0.0 {
        if b < 0.0 {
            let message = format!("{} ** {}: zero to a negative power", float_repr(a), float_repr(b));
            return Err(Fault::new(TrapKind::Division, message));
        }
        return Ok(if odd { a } else { 0.0 });
    }
    if a < 0.0 && b.floor() != b {
        let message = format!("{} ** {} is not a real number", float_repr(a), float_repr(b));
        return Err(Fault::new(TrapKind::Value, message));
    }
    let magnitude = a.abs().powf(b);
    if magnitude.is_infinite() {
        let message = format!("{} ** {} does not fit a float", float_repr(a), float_repr(b));
        return Err(Fault::new(TrapKind::Overflow, message));
    }
    Ok(if a < 0.0 && odd { -magnitude } else { magnitude })
}

/// `int(a)`: truncated towards zero.
pub fn float_to_int(a: f64) -> Result<i64, Fault> {
    // Both bounds are exact doubles; the upper one is the first that does not fit.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if a.is_nan() {
        return Err(Fault::new(TrapKind::Value, "int(nan): not a number"));
    }
    let whole = a.trunc();
    if (-LIMIT..LIMIT).contains(&whole) {
        Ok(whole as i64)
    } else {
        Err(Fault::new(TrapKind::Overflow, format!("int({}) does not fit 64 bits", float_repr(a))))
    }
}

/// What an instruction computes from its operands' slots and its immediate alone; `None` for one that needs a heap, a
/// host or control. Operands must be as many and of the types as the table says.
pub fn scalar(op: Op, args: &[u64], imm: &Imm) -> Option<Result<u64, Fault>> {
    let int = |i: usize| args[i] as i64;
    let float = |i: usize| f64::from_bits(args[i]);
    let of_int = |r: Result<i64, Fault>| Some(r.map(|v| v as u64));
    let of_float = |r: Result<f64, Fault>| Some(r.map(f64::to_bits));
    let of_bool = |v: bool| Some(Ok(u64::from(v)));
    match op {
        Op::Iconst => match imm {
            Imm::Int(v) => of_int(Ok(*v)),
            _ => None,
        },
        Op::Fconst => match imm {
            Imm::Float(v) => of_float(Ok(*v)),
            _ => None,
        },
        Op::Bconst => match imm {
            Imm::Bool(v) => of_bool(*v),
            _ => None,
        },
        Op::None => Some(Ok(0)),
        Op::Iadd => of_int(iadd(int(0), int(1))),
        Op::Isub => of_int(isub(int(0), int(1))),
        Op::Imul => of_int(imul(int(0), int(1))),
        Op::Ineg => of_int(ineg(int(0))),
        Op::Ifloordiv => of_int(ifloordiv(int(0), int(1))),
        Op::Imod => of_int(imod(int(0), int(1))),
        Op::Ipow => of_int(ipow(int(0), int(1))),
        Op::Itruediv => of_float(itruediv(int(0), int(1))),
        Op::Iand => of_int(Ok(int(0) & int(1))),
        Op::Ior => of_int(Ok(int(0) | int(1))),
        Op::Ixor => of_int(Ok(int(0) ^ int(1))),
        Op::Inot => of_int(Ok(!int(0))),
        Op::Ishl => of_int(ishl(int(0), int(1))),
        Op::Ishr => of_int(ishr(int(0), int(1))),
        Op::Ieq => of_bool(int(0) == int(1)),
        Op::Ine => of_bool(int(0) != int(1)),
        Op::Ilt => of_bool(int(0) < int(1)),
        Op::Ile => of_bool(int(0) <= int(1)),
        Op::Igt => of_bool(int(0) > int(1)),
        Op::Ige => of_bool(int(0) >= int(1)),
        Op::IntToFloat => of_float(Ok(int_to_float(int(0)))),
        Op::Fadd => of_float(Ok(float(0) + float(1))),
        Op::Fsub => of_float(Ok(float(0) - float(1))),
        Op::Fmul => of_float(Ok(float(0) * float(1))),
        Op::Fdiv => of_float(fdiv(float(0), float(1))),
        Op::Ffloordiv => of_float(ffloordiv(float(0), float(1))),
        Op::Fmod => of_float(fmod(float(0), float(1))),
        Op::Fpow => of_float(fpow(float(0), float(1))),
        Op::Fneg => of_float(Ok(-float(0))),
        Op::Feq => of_bool(float(0) == float(1)),
        Op::Fne => of_bool(float(0) != float(1)),
        Op::Flt => of_bool(float(0) < float(1)),
        Op::Fle => of_bool(float(0) <= float(1)),
        Op::Fgt => of_bool(float(0) > float(1)),
        Op::Fge => of_bool(float(0) >= float(1)),
        Op::FloatToInt => of_int(float_to_int(float(0))),
        Op::Bnot => of_bool(args[0] == 0),
        Op::BoolToInt => Some(Ok(args[0])),
        Op::Const | Op::Eq | Op::Order => None,
        Op::ListNew | Op::ListLen | Op::ListGet | Op::ListSet | Op::ListPush => None,
        Op::DictNew | Op::DictLen | Op::DictGet | Op::DictSet | Op::DictHas => None,
        Op::DictNext | Op::DictKeyAt | Op::DictValueAt | Op::New | Op::SlotGet | Op::SlotSet => None,
        Op::Jump | Op::Branch | Op::Return | Op::Fail | Op::Poll => None,
        Op::Call | Op::CallOrHost | Op::CallBuiltin | Op::CallPure | Op::CallImpure | Op::Sleep | Op::CreateTask => {
            None
        }
        Op::QueueNew | Op::QueuePut | Op::QueueGet | Op::QueueLen => None,
        Op::LockNew | Op::LockAcquire | Op::LockRelease => None,
        Op::WaitGroupNew | Op::WaitGroupAdd | Op::WaitGroupWait | Op::Select => None,
        Op::Now | Op::Random | Op::Uuid => None,
        Op::UnionWiden | Op::UnionIs | Op::UnionNarrow => None,
        Op::QueueClose | Op::QueueClosed | Op::QueueFull | Op::QueueReceive | Op::After | Op::QueueNamed => None,
    }
}

/// What `now()` gives for a clock in unix milliseconds.
pub fn now(clock_ms: i64) -> f64 {
    clock_ms as f64 / 1000.0
}

/// What `random()` makes of 64 random bits: one of the 2**53 multiples of 2**-53 below 1, each as likely as any other.
pub fn random(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << f64::MANTISSA_DIGITS) as f64
}

/// What `uuid()` makes of 128 random bits: the text of a version 4 UUID.
pub fn uuid(high: u64, low: u64) -> String {
    let high = high & !0xf000 | 0x4000;
    let low = low & (u64::MAX >> 2) | 1 << 63;
    let (time_low, time_mid, version) = (high >> 32, high >> 16 & 0xffff, high & 0xffff);
    format!("{time_low:08x}-{time_mid:04x}-{version:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff)
}

#[cfg(test)]
mod tests;

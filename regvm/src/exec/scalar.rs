//! Scalars, moves and jumps. What they compute is `ir::eval`'s; where an operation can trap its fast path is written here
//! again and everything else is left to the function there, so that the two can't differ in what they refuse.

use super::cursor::Cursor;
use super::{Exec, Step, fault};
use crate::ops::Word;
use deepslate_ir::eval;
use deepslate_ir::trap::Fault;

/// The result of an operation that rarely traps: its fast path, or what `slow` says.
#[inline(always)]
fn or_slow<T>(fast: Option<T>, slow: impl FnOnce() -> Result<T, Fault>) -> Result<T, super::Leave> {
    match fast {
        Some(value) => Ok(value),
        None => slow().map_err(fault),
    }
}

#[inline(always)]
fn iadd(a: i64, b: i64) -> Result<i64, super::Leave> {
    or_slow(a.checked_add(b), || eval::iadd(a, b))
}

#[inline(always)]
fn isub(a: i64, b: i64) -> Result<i64, super::Leave> {
    or_slow(a.checked_sub(b), || eval::isub(a, b))
}

#[inline(always)]
fn imul(a: i64, b: i64) -> Result<i64, super::Leave> {
    or_slow(a.checked_mul(b), || eval::imul(a, b))
}

#[inline(always)]
fn ifloordiv(a: i64, b: i64) -> Result<i64, super::Leave> {
    or_slow(if b > 0 { Some(a.div_euclid(b)) } else { None }, || eval::ifloordiv(a, b))
}

#[inline(always)]
fn imod(a: i64, b: i64) -> Result<i64, super::Leave> {
    or_slow(if b > 0 { Some(a.rem_euclid(b)) } else { None }, || eval::imod(a, b))
}

#[inline(always)]
fn ishr(a: i64, b: i64) -> Result<i64, super::Leave> {
    or_slow(if (0..64).contains(&b) { Some(a >> b) } else { None }, || eval::ishr(a, b))
}

macro_rules! int_binary {
    ($($rr:ident $($ri:ident)? = $f:expr;)*) => {$(
        #[inline(always)]
        pub(super) fn $rr(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
            let value: Result<i64, super::Leave> = $f(cur.int(w.b()), cur.int(w.c()));
            cur.set_int(w.a(), value?);
            Ok(cur.next())
        }
        $(
            #[inline(always)]
            pub(super) fn $ri(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
                let value: Result<i64, super::Leave> = $f(cur.int(w.b()), w.imm_c());
                cur.set_int(w.a(), value?);
                Ok(cur.next())
            }
        )?
    )*};
}

int_binary! {
    iadd_rr iadd_ri = iadd;
    isub_rr isub_ri = isub;
    imul_rr imul_ri = imul;
    ifloordiv_rr ifloordiv_ri = ifloordiv;
    imod_rr imod_ri = imod;
    ipow = |a, b| eval::ipow(a, b).map_err(fault);
    iand_rr iand_ri = |a: i64, b: i64| Ok(a & b);
    ior = |a: i64, b: i64| Ok(a | b);
    ixor = |a: i64, b: i64| Ok(a ^ b);
    ishl_rr ishl_ri = |a, b| eval::ishl(a, b).map_err(fault);
    ishr_rr ishr_ri = ishr;
}

macro_rules! int_compare {
    ($($rr:ident $ri:ident $br_rr:ident $br_ri:ident = $op:tt;)*) => {$(
        #[inline(always)]
        pub(super) fn $rr(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
            cur.set_bool(w.a(), cur.int(w.b()) $op cur.int(w.c()));
            Ok(cur.next())
        }
        #[inline(always)]
        pub(super) fn $ri(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
            cur.set_bool(w.a(), cur.int(w.b()) $op w.imm_c());
            Ok(cur.next())
        }
        #[inline(always)]
        pub(super) fn $br_rr(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
            Ok(if cur.int(w.a()) $op cur.int(w.b()) { cur.jump(w.jump_c()) } else { cur.next() })
        }
        #[inline(always)]
        pub(super) fn $br_ri(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
            Ok(if cur.int(w.a()) $op w.imm_b() { cur.jump(w.jump_c()) } else { cur.next() })
        }
    )*};
}

int_compare! {
    ieq_rr ieq_ri br_ieq_rr br_ieq_ri = ==;
    ine_rr ine_ri br_ine_rr br_ine_ri = !=;
    ilt_rr ilt_ri br_ilt_rr br_ilt_ri = <;
    ile_rr ile_ri br_ile_rr br_ile_ri = <=;
    igt_rr igt_ri br_igt_rr br_igt_ri = >;
    ige_rr ige_ri br_ige_rr br_ige_ri = >=;
}

macro_rules! float_binary {
    ($($name:ident = $f:expr;)*) => {$(
        #[inline(always)]
        pub(super) fn $name(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
            let value: Result<f64, Fault> = $f(cur.float(w.b()), cur.float(w.c()));
            cur.set_float(w.a(), value.map_err(fault)?);
            Ok(cur.next())
        }
    )*};
}

float_binary! {
    fadd = |a: f64, b: f64| Ok(a + b);
    fsub = |a: f64, b: f64| Ok(a - b);
    fmul = |a: f64, b: f64| Ok(a * b);
    fdiv = eval::fdiv;
    ffloordiv = eval::ffloordiv;
    fmod = eval::fmod;
    fpow = eval::fpow;
}

macro_rules! float_compare {
    ($($name:ident $($br:ident)? = $op:tt;)*) => {$(
        #[inline(always)]
        pub(super) fn $name(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
            cur.set_bool(w.a(), cur.float(w.b()) $op cur.float(w.c()));
            Ok(cur.next())
        }
        $(
            #[inline(always)]
            pub(super) fn $br(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
                Ok(if cur.float(w.a()) $op cur.float(w.b()) { cur.jump(w.jump_c()) } else { cur.next() })
            }
        )?
    )*};
}

float_compare! {
    feq br_feq = ==;
    fne br_fne = !=;
    flt br_flt = <;
    fle br_fle = <=;
    fgt = >;
    fge = >=;
}

#[inline(always)]
pub(super) fn br_fnlt(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    Ok(if cur.float(w.a()) < cur.float(w.b()) { cur.next() } else { cur.jump(w.jump_c()) })
}

#[inline(always)]
pub(super) fn br_fnle(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    Ok(if cur.float(w.a()) <= cur.float(w.b()) { cur.next() } else { cur.jump(w.jump_c()) })
}

macro_rules! unary {
    ($($name:ident $get:ident $set:ident = $f:expr;)*) => {$(
        #[inline(always)]
        pub(super) fn $name(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
            cur.$set(w.a(), $f(cur.$get(w.b())).map_err(fault)?);
            Ok(cur.next())
        }
    )*};
}

unary! {
    mov read write = Ok;
    ineg int set_int = eval::ineg;
    inot int set_int = |a: i64| Ok(!a);
    int_to_float int set_float = |a| Ok(eval::int_to_float(a));
    fneg float set_float = |a: f64| Ok(-a);
    float_to_int float set_int = eval::float_to_int;
    bnot read set_bool = |a| Ok(a == 0);
    bool_to_int read write = Ok;
}

#[inline(always)]
pub(super) fn itruediv(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    cur.set_float(w.a(), eval::itruediv(cur.int(w.b()), cur.int(w.c())).map_err(fault)?);
    Ok(cur.next())
}

#[inline(always)]
pub(super) fn swap(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    let (a, b) = (cur.read(w.a()), cur.read(w.b()));
    cur.write(w.a(), b);
    cur.write(w.b(), a);
    Ok(cur.next())
}

#[inline(always)]
pub(super) fn iconst_i(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    cur.set_int(w.a(), w.imm_b());
    Ok(cur.next())
}

#[inline(always)]
pub(super) fn iconst(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    cur.write(w.a(), cur.extra(1));
    Ok(cur.skip(2))
}

#[inline(always)]
pub(super) fn fconst(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    cur.write(w.a(), cur.extra(1));
    Ok(cur.skip(2))
}

#[inline(always)]
pub(super) fn bconst(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    cur.write(w.a(), u64::from(w.b()));
    Ok(cur.next())
}

#[inline(always)]
pub(super) fn none(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    cur.write(w.a(), 0);
    Ok(cur.next())
}

#[inline(always)]
pub(super) fn jump(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    Ok(cur.jump(w.jump_wide()))
}

#[inline(always)]
pub(super) fn br_true(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    Ok(if cur.read(w.a()) != 0 { cur.jump(w.jump_wide()) } else { cur.next() })
}

#[inline(always)]
pub(super) fn br_false(_: &mut Exec<'_>, cur: Cursor, w: Word) -> Step {
    Ok(if cur.read(w.a()) == 0 { cur.jump(w.jump_wide()) } else { cur.next() })
}

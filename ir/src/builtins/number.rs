//! Bodies of the builtins on numbers.

use super::machine::{Call, Machine};
use crate::trap::{Fault, TrapKind};

pub(super) fn abs_int(_: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result<u64, Fault> {
    let value = a[0] as i64;
    let abs = value
        .checked_abs()
        .ok_or_else(|| Fault::new(TrapKind::Overflow, format!("abs({value}) does not fit 64 bits")))?;
    Ok(abs as u64)
}

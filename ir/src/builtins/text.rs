//! Bodies of the builtins on text and bytes.

use super::machine::{Call, Machine};
use crate::trap::Fault;

pub(super) fn len(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result<u64, Fault> {
    Ok(m.str(a[0]).chars().count() as u64)
}

pub(super) fn concat(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result<u64, Fault> {
    let text = [m.str(a[0]), m.str(a[1])].concat();
    m.new_str(&text)
}

pub(super) fn of_int(m: &mut dyn Machine, _: &Call<'_>, a: &[u64]) -> Result<u64, Fault> {
    m.new_str(&(a[0] as i64).to_string())
}

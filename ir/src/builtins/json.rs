//! Bodies of the builtins that write and read JSON. What can go wrong with a document or a value is told as text, which the
//! lowering makes a `DSError` of; only what does not fit the memory is a fault.

use super::args::element;
use super::machine::{Call, Machine};
use crate::datum::{Refusal, from_datum, tree};
use crate::json::{from_json, to_json};
use crate::trap::{Fault, TrapKind};

/// About what a value takes while a document is read, before it is in the heap.
const READ_BYTES: usize = 64;

pub(super) fn write(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result<u64, Fault> {
    let (text, why) = match tree(m, c.args[0], a[0], m.room() as u64) {
        Ok(value) => (to_json(m.types(), c.args[0], &value), String::new()),
        Err(Refusal::Shape(why)) => (String::new(), format!("{why}, and has no JSON form")),
        Err(Refusal::TooLarge(_)) => {
            let message = format!("the JSON text of a {} does not fit the memory", m.types().name(c.args[0]));
            return Err(Fault::new(TrapKind::Memory, message));
        }
        Err(refusal @ Refusal::Sync(_)) => return Err(refusal.into()),
    };
    let (text, why) = (m.new_bytes(text.as_bytes())?, m.new_str(&why)?);
    m.new_object(c.ret, &[text, why])
}

pub(super) fn read(m: &mut dyn Machine, c: &Call<'_>, a: &[u64]) -> Result<u64, Fault> {
    let (into, data, ty) = (a[0], m.bytes(a[1]), element(m, c.args[0]));
    // Each value but the first stands after one of these.
    let values = 1 + data.iter().filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{')).count();
    super::args::fits(m, READ_BYTES, values)?;
    let value = match std::str::from_utf8(data) {
        Ok(text) => from_json(m.types(), ty, text).map_err(|error| error.to_string()),
        Err(error) => {
            let at = error.valid_up_to();
            Err(format!("expected UTF-8 text, found the byte 0x{:02x} at index {at}", data[at]))
        }
    };
    match value {
        Ok(value) => {
            let slot = from_datum(m, ty, &value)?;
            let len = m.list_len(into);
            m.list_splice(into, len..len, &[slot])?;
            m.new_str("")
        }
        Err(why) => m.new_str(&why),
    }
}

//! Checksums of stored records.
//!
//! CRC-32 (IEEE) over the fields in a fixed order, integers little endian, texts and bytes after their length as u64, an absent
//! number as a 0 byte, a present one as a 1 byte and the number. Stored, hence the same for ever. A part's and a program's
//! checksum covers its place too, so that a record which turns up in the place of another one is noticed.

use crate::{Head, IsolateId, ProgramHash};

struct Sum(crc32fast::Hasher);

impl Sum {
    fn new() -> Sum {
        Sum(crc32fast::Hasher::new())
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn number(&mut self, number: u64) {
        self.0.update(&number.to_le_bytes());
    }

    fn maybe(&mut self, number: Option<i64>) {
        match number {
            None => self.0.update(&[0]),
            Some(number) => {
                self.0.update(&[1]);
                self.0.update(&number.to_le_bytes());
            }
        }
    }
}

/// The checksum of a head.
pub(crate) fn of_head(head: &Head) -> u32 {
    let mut sum = Sum::new();
    sum.0.update(&head.id.0);
    sum.number(u64::from(head.shard.0));
    sum.bytes(head.namespace.as_bytes());
    sum.bytes(head.name.as_bytes());
    sum.bytes(head.flow.as_bytes());
    sum.0.update(&head.program.0);
    sum.number(head.epoch.0);
    sum.number(head.seq.0);
    sum.0.update(&[head.status as u8, u8::from(head.runnable)]);
    sum.maybe(head.wake_at_ms);
    sum.maybe(Some(head.created_ms));
    sum.maybe(Some(head.updated_ms));
    sum.maybe(head.ended_ms);
    sum.number(head.next_event);
    sum.bytes(&head.state);
    sum.0.finalize()
}

/// The checksum of a part in its place.
pub(crate) fn of_part(id: IsolateId, number: u32, bytes: &[u8]) -> u32 {
    let mut sum = Sum::new();
    sum.0.update(&id.0);
    sum.number(u64::from(number));
    sum.bytes(bytes);
    sum.0.finalize()
}

/// The checksum of an event in its place.
pub(crate) fn of_event(id: IsolateId, number: u64, bytes: &[u8]) -> u32 {
    let mut sum = Sum::new();
    sum.0.update(&id.0);
    sum.number(number);
    sum.bytes(bytes);
    sum.0.finalize()
}

/// The checksum of a program under its hash.
pub(crate) fn of_program(hash: ProgramHash, bytes: &[u8]) -> u32 {
    let mut sum = Sum::new();
    sum.0.update(&hash.0);
    sum.bytes(bytes);
    sum.0.finalize()
}

//! Little things that all of the engine's stored forms are made of: variable-length numbers, texts, values.
//!
//! Numbers are LEB128, signed ones zigzag; floats are their bits, little endian. Reading checks each length against what is
//! left before anything is allocated.

use deepslate_ir::datum::{DEPTH, Datum};

use super::Damage;

#[derive(Debug, Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(super) fn u64(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub(super) fn i64(&mut self, value: i64) {
        self.u64(((value << 1) ^ (value >> 63)) as u64);
    }

    pub(super) fn bytes(&mut self, value: &[u8]) {
        self.u64(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    pub(super) fn datum(&mut self, value: &Datum) {
        match value {
            Datum::None => self.u8(0),
            Datum::Bool(value) => self.u8(1 + u8::from(*value)),
            Datum::Int(value) => {
                self.u8(3);
                self.i64(*value);
            }
            Datum::Float(value) => {
                self.u8(4);
                self.0.extend_from_slice(&value.to_bits().to_le_bytes());
            }
            Datum::Str(value) => {
                self.u8(5);
                self.bytes(value.as_bytes());
            }
            Datum::Bytes(value) => {
                self.u8(6);
                self.bytes(value);
            }
            Datum::List(values) => self.data(7, values),
            Datum::Tuple(values) => self.data(8, values),
            Datum::Object(values) => self.data(9, values),
            Datum::Set(values) => self.data(11, values),
            Datum::Member(index, value) => {
                self.u8(12);
                self.u64(u64::from(*index));
                self.datum(value);
            }
            Datum::Dict(entries) => {
                self.u8(10);
                self.u64(entries.len() as u64);
                for (key, value) in entries {
                    self.datum(key);
                    self.datum(value);
                }
            }
        }
    }

    fn data(&mut self, tag: u8, values: &[Datum]) {
        self.u8(tag);
        self.u64(values.len() as u64);
        values.iter().for_each(|value| self.datum(value));
    }
}

#[derive(Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

type Read<T> = Result<T, Damage>;

fn short() -> Damage {
    Damage("ends too early".into())
}

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        if count > self.0.len() {
            return Err(short());
        }
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn u8(&mut self) -> Read<u8> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn u64(&mut self) -> Read<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Damage("has a number that is too long".into()))
    }

    pub(super) fn i64(&mut self) -> Read<i64> {
        let value = self.u64()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A count of things that take at least one byte each.
    pub(super) fn count(&mut self, max: usize) -> Read<usize> {
        let count = self.u64()?;
        if count > self.0.len() as u64 {
            return Err(short());
        }
        if count > max as u64 {
            return Err(Damage(format!("names {count} of something of which there are at most {max}")));
        }
        Ok(count as usize)
    }

    pub(super) fn bytes(&mut self) -> Read<&'a [u8]> {
        let count = self.count(usize::MAX)?;
        self.take(count)
    }

    pub(super) fn str(&mut self) -> Read<String> {
        let text = std::str::from_utf8(self.bytes()?);
        text.map(str::to_owned).map_err(|_| Damage("has a text that is not UTF-8".into()))
    }

    pub(super) fn datum(&mut self) -> Read<Datum> {
        self.datum_in(DEPTH + 1)
    }

    fn datum_in(&mut self, depth: usize) -> Read<Datum> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Damage(format!("has a value nested more than {DEPTH} deep")));
        };
        Ok(match self.u8()? {
            0 => Datum::None,
            1 => Datum::Bool(false),
            2 => Datum::Bool(true),
            3 => Datum::Int(self.i64()?),
            4 => {
                let mut bits = [0; 8];
                bits.copy_from_slice(self.take(8)?);
                Datum::Float(f64::from_bits(u64::from_le_bytes(bits)))
            }
            5 => Datum::Str(self.str()?),
            6 => Datum::Bytes(self.bytes()?.to_vec()),
            7 => Datum::List(self.data(depth)?),
            8 => Datum::Tuple(self.data(depth)?),
            9 => Datum::Object(self.data(depth)?),
            11 => Datum::Set(self.data(depth)?),
            10 => {
                let count = self.count(usize::MAX)?;
                let entry = |reader: &mut Self| Ok((reader.datum_in(depth)?, reader.datum_in(depth)?));
                Datum::Dict((0..count).map(|_| entry(self)).collect::<Read<_>>()?)
            }
            12 => {
                let index = u32::try_from(self.u64()?).map_err(|_| Damage("has a member of no union".to_owned()))?;
                if self.0.first() == Some(&12) {
                    return Err(Damage("has a value of a union that is one of a union itself".to_owned()));
                }
                // Not a level: a value of a union is nested no deeper than its member's.
                Datum::Member(index, Box::new(self.datum_in(depth + 1)?))
            }
            tag => return Err(Damage(format!("has a value of unknown kind {tag}"))),
        })
    }

    fn data(&mut self, depth: usize) -> Read<Vec<Datum>> {
        let count = self.count(usize::MAX)?;
        (0..count).map(|_| self.datum_in(depth)).collect()
    }
}

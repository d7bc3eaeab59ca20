//! Text and bytes: immutable, with their content behind the header. A text knows how many code points it has, so that
//! one that is ASCII is indexed at once.

use super::object::{Blob, Header, Kind, Ref, allocate};
use super::{Heap, blob_size};
use deepslate_ir::entity::TypeId;
use deepslate_ir::trap::Fault;
use deepslate_ir::types;

impl Heap {
    /// A new `str`.
    pub fn new_str(&mut self, text: &str) -> Result<Ref, Fault> {
        // Counted only after the size has passed the limit.
        self.new_blob(types::STR, Kind::Str, text.as_bytes(), || text.chars().count())
    }

    /// A new `bytes`.
    pub fn new_bytes(&mut self, bytes: &[u8]) -> Result<Ref, Fault> {
        self.new_blob(types::BYTES, Kind::Bytes, bytes, || bytes.len())
    }

    fn new_blob(
        &mut self,
        ty: TypeId,
        kind: Kind,
        content: &[u8],
        chars: impl FnOnce() -> usize,
    ) -> Result<Ref, Fault> {
        let size = blob_size(content.len()).ok_or_else(|| self.too_much(u64::MAX))?;
        self.charge(size)?;
        let at = allocate(size as usize).cast::<Blob>();
        if at.is_null() {
            return Err(self.refused(size));
        }
        let header: Header = self.header(ty, kind);
        // SAFETY: `at` is fresh memory of a size for the struct and its content.
        unsafe {
            at.write(Blob { header, len: content.len(), chars: chars() });
            Blob::start(at).copy_from_nonoverlapping(content.as_ptr(), content.len());
        }
        Ok(self.adopt(at.cast()))
    }

    /// The text of a `str`.
    #[inline]
    pub fn str(&self, text: Ref) -> &str {
        self.check(text, Kind::Str);
        let content = self.blob(text);
        // SAFETY: a `Str` object is made by `new_str` only, from a `&str`, and never changes.
        unsafe { std::str::from_utf8_unchecked(content) }
    }

    /// How many code points a `str` has.
    #[inline]
    pub fn str_len(&self, text: Ref) -> usize {
        self.check(text, Kind::Str);
        // SAFETY: H1, H3.
        unsafe { (*self.at(text).cast::<Blob>()).chars }
    }

    /// Whether a `str` is ASCII, so that code points are bytes.
    #[inline]
    pub fn str_is_ascii(&self, text: Ref) -> bool {
        self.check(text, Kind::Str);
        // SAFETY: H1, H3.
        let blob = unsafe { &*self.at(text).cast::<Blob>() };
        blob.chars == blob.len
    }

    /// The content of a `bytes`.
    #[inline]
    pub fn bytes_of(&self, bytes: Ref) -> &[u8] {
        self.check(bytes, Kind::Bytes);
        self.blob(bytes)
    }

    /// The content of a `str` or `bytes`.
    #[inline]
    pub(super) fn blob(&self, blob: Ref) -> &[u8] {
        debug_assert!(matches!(self.kind(blob), Kind::Str | Kind::Bytes));
        let at = self.at(blob).cast::<Blob>();
        // SAFETY: H1, H3 (the length is that of the allocation), H4.
        unsafe { std::slice::from_raw_parts(Blob::start(at), (*at).len) }
    }
}

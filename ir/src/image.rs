//! A program image: the bytes that a program is stored as, and the hash of them that names it. The bytes are the text form
//! (`print`), so a person can read a stored program, and any later engine can compile it again.
//!
//! An image that exists has been verified; whoever holds one need not look again.

use crate::module::Module;
use crate::parse::{ParseError, parse, version};
use crate::print::VERSION;
use crate::verify::{VerifyError, verify};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name of a program: the BLAKE3 hash of its image. Prints as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProgramHash(pub [u8; 32]);

impl ProgramHash {
    /// The hash of an image's bytes.
    pub fn of(bytes: &[u8]) -> ProgramHash {
        ProgramHash(*blake3::hash(bytes).as_bytes())
    }
}

impl fmt::Display for ProgramHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ProgramHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoProgramHash;

impl fmt::Display for NoProgramHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a program's hash is 64 hexadecimal digits")
    }
}

impl std::error::Error for NoProgramHash {}

impl FromStr for ProgramHash {
    type Err = NoProgramHash;

    fn from_str(text: &str) -> Result<ProgramHash, NoProgramHash> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(NoProgramHash);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok()).ok_or(NoProgramHash);
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(ProgramHash(bytes))
    }
}

/// A verified program with its bytes and its hash; cheap to clone.
#[derive(Clone, Debug)]
pub struct Image {
    bytes: Arc<[u8]>,
    hash: ProgramHash,
    module: Arc<Module>,
}

/// Why bytes are no image, or a module can't be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// The bytes are not the text form of any version.
    NotAProgram,
    /// A newer engine wrote them; this version of the form.
    Newer(u32),
    /// The text has a mistake: the bytes are damaged.
    Parse(ParseError),
    /// The module breaks these rules.
    Verify(Vec<VerifyError>),
    /// The bytes do not have the hash that they are stored under.
    Hash {
        /// The name of the program that was asked for.
        wanted: ProgramHash,
        /// The hash of the bytes.
        found: ProgramHash,
    },
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImageError::NotAProgram => f.write_str("these bytes are not a program"),
            ImageError::Newer(version) => write!(
                f,
                "this program is in version {version} of the form, this engine reads up to {VERSION}: use the engine that \
                 wrote it, or a newer one"
            ),
            ImageError::Parse(error) => write!(f, "the program is damaged: {error}"),
            ImageError::Verify(errors) => {
                f.write_str("the program breaks the rules of the IR")?;
                errors.iter().try_for_each(|e| write!(f, "; {e}"))
            }
            ImageError::Hash { wanted, found } => write!(f, "the program is damaged: it is {found}, not {wanted}"),
        }
    }
}

impl std::error::Error for ImageError {}

impl Image {
    /// The image of a module that a front end made. Fails on a module that breaks a rule, which is a bug of the maker.
    pub fn of(module: Module) -> Result<Image, ImageError> {
        verify(&module).map_err(ImageError::Verify)?;
        let text = module.to_string();
        if text.len() > crate::limits::IMAGE_BYTES_MAX {
            // The parser's own words, so that nothing is stored that can't be opened.
            parse(&text).map_err(ImageError::Parse)?;
        }
        let bytes: Arc<[u8]> = text.into_bytes().into();
        Ok(Image { hash: ProgramHash::of(&bytes), bytes, module: Arc::new(module) })
    }

    /// Opens stored bytes: parses, verifies and hashes them.
    pub fn open(bytes: impl Into<Arc<[u8]>>) -> Result<Image, ImageError> {
        let bytes: Arc<[u8]> = bytes.into();
        let text = std::str::from_utf8(&bytes).map_err(|_| ImageError::NotAProgram)?;
        match version(text) {
            None | Some(0) => return Err(ImageError::NotAProgram),
            Some(newer) if newer > VERSION => return Err(ImageError::Newer(newer)),
            Some(_) => {}
        }
        let module = parse(text).map_err(ImageError::Parse)?;
        verify(&module).map_err(ImageError::Verify)?;
        Ok(Image { hash: ProgramHash::of(&bytes), bytes, module: Arc::new(module) })
    }

    /// Opens bytes that are stored under this hash; a flipped bit anywhere is found before they are read.
    pub fn open_as(bytes: impl Into<Arc<[u8]>>, wanted: ProgramHash) -> Result<Image, ImageError> {
        let bytes: Arc<[u8]> = bytes.into();
        let found = ProgramHash::of(&bytes);
        if found == wanted { Image::open(bytes) } else { Err(ImageError::Hash { wanted, found }) }
    }

    /// What is stored.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The name of the program.
    pub fn hash(&self) -> ProgramHash {
        self.hash
    }

    /// The program.
    pub fn module(&self) -> &Arc<Module> {
        &self.module
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &str = "deepslate-ir 1\n\nflow f() -> None @0:0:0 {\nblock0:\n  v0: None = none\n  return v0\n}\n";

    #[test]
    fn an_image_opens_as_itself() {
        let image = Image::open(PROGRAM.as_bytes()).unwrap();
        let again = Image::of(Module::clone(image.module())).unwrap();
        assert_eq!(again.bytes(), PROGRAM.as_bytes());
        assert_eq!(again.hash(), image.hash());
        assert_eq!(image.hash().to_string().parse(), Ok(image.hash()));
        assert!(Image::open_as(PROGRAM.as_bytes(), image.hash()).is_ok());
        assert_eq!("12".parse::<ProgramHash>(), Err(NoProgramHash));
    }

    #[test]
    fn damage_and_newer_forms_are_named() {
        let open = |text: &str| Image::open(text.as_bytes()).unwrap_err();
        assert_eq!(open("deepslate-ir 2\nwhatever"), ImageError::Newer(2));
        assert!(open("deepslate-ir 7").to_string().contains("version 7"));
        assert_eq!(open("SQLite format 3"), ImageError::NotAProgram);
        assert_eq!(Image::open(&[0xff, 0xfe][..]).unwrap_err(), ImageError::NotAProgram);
        let damaged = PROGRAM.replace("return v0", "return v1");
        assert_eq!(
            open(&damaged).to_string(),
            "the program breaks the rules of the IR; in f: at inst1 (return): v1 is out of range"
        );
        assert_eq!(
            open(&PROGRAM.replace("return", "retorn")).to_string(),
            "the program is damaged: line 6, column 3: this build does not know the instruction `retorn`"
        );
        let wanted = ProgramHash::of(PROGRAM.as_bytes());
        let error = Image::open_as(damaged.into_bytes(), wanted).unwrap_err();
        assert!(matches!(error, ImageError::Hash { .. }), "{error}");
    }
}

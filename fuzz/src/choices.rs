//! Where a generator gets its choices from: a seed, or bytes that a fuzzer or a property test gives. Choice 0 is always the
//! simplest, and it is what comes after the end of the bytes, so that fewer and smaller bytes make smaller programs.

/// A stream of choices.
#[derive(Clone, Debug)]
pub struct Choices {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    /// The state of SplitMix64.
    Seed(u64),
    Bytes(Vec<u8>, usize),
}

impl Choices {
    /// Endless choices that this number decides.
    pub fn from_seed(seed: u64) -> Choices {
        Choices { source: Source::Seed(seed.wrapping_mul(0xD129_0D3A_4F2B_9C15)) }
    }

    /// The choices that these bytes make.
    pub fn from_bytes(bytes: &[u8]) -> Choices {
        Choices { source: Source::Bytes(bytes.to_vec(), 0) }
    }

    /// Sixty-four bits.
    pub fn word(&mut self) -> u64 {
        match &mut self.source {
            Source::Seed(state) => {
                *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
                let mut z = *state;
                z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                z ^ (z >> 31)
            }
            Source::Bytes(..) => {
                let mut word = 0;
                for _ in 0..8 {
                    word = word << 8 | u64::from(self.byte());
                }
                word
            }
        }
    }

    fn byte(&mut self) -> u8 {
        match &mut self.source {
            Source::Seed(_) => (self.word() >> 56) as u8,
            Source::Bytes(bytes, at) => {
                let byte = bytes.get(*at).copied().unwrap_or(0);
                *at += 1;
                byte
            }
        }
    }

    /// A number below `bound`, which is at least 1.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound.max(1);
        match &self.source {
            Source::Seed(_) => (self.word() >> 11) as usize % bound,
            Source::Bytes(..) if bound <= 256 => usize::from(self.byte()) % bound,
            Source::Bytes(..) => (usize::from(self.byte()) << 8 | usize::from(self.byte())) % bound,
        }
    }

    /// True in this many of a hundred cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) >= 100usize.saturating_sub(percent)
    }

    /// One of these; `None` if there is none.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() { None } else { all.get(self.below(all.len())) }
    }

    /// One of these texts, of which there is at least one.
    pub fn text(&mut self, all: &[&'static str]) -> &'static str {
        self.pick(all).copied().unwrap_or("")
    }
}

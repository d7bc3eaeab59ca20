//! The disk's own fdatasync, to which everything is compared: 4 KiB written in place in a file that has its size, then synced.

use anyhow::Result;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Instant;

const BLOCK: usize = 4 << 10;
const BLOCKS: u64 = 1_024;
const ROUND: u64 = 500;

/// A file on the disk, and how long its syncs took, in seconds.
pub struct Disk {
    file: File,
    next: u64,
    times: Vec<f64>,
    last: f64,
}

impl Disk {
    /// A file in this directory.
    pub fn new(directory: &Path) -> Result<Disk> {
        let mut file = File::create_new(directory.join("fdatasync"))?;
        for _ in 0..BLOCKS {
            file.write_all(&[1; BLOCK])?;
        }
        file.sync_all()?;
        Ok(Disk { file, next: 0, times: Vec::new(), last: f64::NAN })
    }

    /// Measures some more. Gives the median of this time and of the last time: what a sync took around what was done in
    /// between, in seconds.
    pub fn measure(&mut self) -> Result<f64> {
        let mut times = Vec::new();
        for _ in 0..ROUND {
            let from = Instant::now();
            self.file.seek(SeekFrom::Start(self.next % BLOCKS * BLOCK as u64))?;
            self.file.write_all(&[self.next as u8; BLOCK])?;
            self.file.sync_data()?;
            times.push(from.elapsed().as_secs_f64());
            self.next += 1;
        }
        times.sort_by(f64::total_cmp);
        let (before, now) = (self.last, times[times.len() / 2]);
        self.last = now;
        self.times.extend(times);
        self.times.sort_by(f64::total_cmp);
        Ok((before + now) / 2.0)
    }

    /// The median of all, in seconds.
    pub fn median(&self) -> f64 {
        self.times[self.times.len() / 2]
    }

    /// The 99th percentile, in seconds.
    pub fn p99(&self) -> f64 {
        self.times[self.times.len() * 99 / 100]
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.times.len()
    }
}

//! The programs that were looked at last, so that following an isolate whose program is not in the engine's memory does not read and
//! check it again for every look.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use deepslate_engine::Engine;
use deepslate_engine::storage::ProgramHash;
use deepslate_ir::image::Image;

/// How many programs are kept.
const KEPT: usize = 8;

/// Programs by hash, the last used at the end.
#[derive(Clone, Default)]
pub(crate) struct Images(Arc<Mutex<VecDeque<(ProgramHash, Image)>>>);

impl Images {
    /// The program of a hash.
    pub(crate) async fn get(&self, engine: &Engine, hash: ProgramHash) -> deepslate_engine::Result<Image> {
        if let Some(image) = self.known(hash) {
            return Ok(image);
        }
        let image = engine.program(hash).await?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back((hash, image.clone()));
        Ok(image)
    }

    fn known(&self, hash: ProgramHash) -> Option<Image> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(known, _)| *known == hash)?;
        let found = kept.remove(at)?;
        let image = found.1.clone();
        kept.push_back(found);
        Some(image)
    }
}

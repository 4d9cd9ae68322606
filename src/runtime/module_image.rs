//! The machine code of a serialized module, mapped from its file: nothing of it is read before it is needed.
//!
//! ```text
//!  file          | header | wasm ... | code ................ | tables | memories | facts |
//!                               |         |                       |
//!  code region   | ...          |    | code, executable |  <- the same pages
//!                               |                                 |
//!  code table    thunk -> first call -> read the function's facts, make its code known, enter it
//! ```
//! So processes that load the same file share its pages, and loading takes no time for what is never called.

use crate::compile::image::{Image, ImageError};
use crate::module::seal::Sealed;
use crate::module::serialize::MISMATCH;
use crate::runtime::code_memory::{self, CodeBlock, CodeKind, CodeMap, Part};
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::signature::no_code_memory;
use crate::runtime::sys::file_map::FileMap;
use crate::runtime::sys::vm;
use std::ops::Range;
use std::sync::Arc;

/// The code of a module, by index of defined function.
#[derive(Debug)]
pub struct ModuleImage {
    sealed: Arc<Sealed>,
    code: Range<usize>,
    tables: Range<usize>,
    /// The code where it can be executed; none where there is no file, or the file system does not let anybody: then each
    /// function is copied.
    map: Option<CodeMap>,
}

impl ModuleImage {
    /// The code at `code` in the sealed bytes, and what must be known of it, for a module of `count` defined functions.
    /// `file` holds these bytes, if one does.
    pub fn new(
        sealed: Arc<Sealed>,
        file: Option<&FileMap>,
        code: Range<usize>,
        tables: Range<usize>,
        count: usize,
    ) -> Result<ModuleImage, Error> {
        // The number of functions stands where the first entry would be.
        let size = tables.len().min(Image::place_of_entry(0).start);
        if !sealed.check(tables.start..tables.start + size) {
            return Err(mismatch());
        }
        let found = Image::new(&sealed.bytes()[code.clone()], &sealed.bytes()[tables.clone()]).map_err(damaged)?.len();
        if found as usize != count {
            let message = format!("damaged serialized module: code of {found} functions instead of {count}");
            return Err(Error::new(ErrorKind::Damaged, message));
        }
        let fits = !code.is_empty() && u32::try_from(code.len()).is_ok() && code.start.is_multiple_of(vm::page_size());
        let descriptor = file.filter(|_| fits).and_then(|file| file.descriptor());
        let map = descriptor.and_then(|descriptor| CodeMap::new(descriptor, code.start, code.len()).ok());
        Ok(ModuleImage { sealed, code, tables, map })
    }

    /// The code of a defined function, which is checked and made known to the process as `kind`; none if there is none.
    pub fn place(&self, index: u32, kind: CodeKind) -> Result<Option<CodeBlock>, Error> {
        let bytes = self.sealed.bytes();
        let image = Image::new(&bytes[self.code.clone()], &bytes[self.tables.clone()]).map_err(damaged)?;
        check(&self.sealed, &self.tables, Image::place_of_entry(index))?;
        let (Some(range), Some(facts)) =
            (image.range(index).map_err(damaged)?, image.place_of_facts(index).map_err(damaged)?)
        else {
            return Ok(None);
        };
        check(&self.sealed, &self.code, range.clone())?;
        check(&self.sealed, &self.tables, facts)?;
        let Some(code) = image.function(index).map_err(damaged)? else { return Ok(None) };
        let block = match &self.map {
            Some(map) => map.place(Part {
                offset: range.start as u32,
                len: range.len() as u32,
                kind,
                traps: code.traps.into(),
                positions: code.positions.into(),
                inlined: code.inlined.into(),
                vmctx_below_fp: code.vmctx_below_fp,
                handlers: code.handlers.into(),
                frame_below_fp: code.frame_below_fp,
                roots: code.roots.into(),
            }),
            None => code_memory::place(code, kind),
        };
        block.map(Some).map_err(no_code_memory)
    }
}

/// Checks a part of a section.
fn check(sealed: &Sealed, section: &Range<usize>, part: Range<usize>) -> Result<(), Error> {
    let good = sealed.check(section.start + part.start..section.start + part.end);
    if good { Ok(()) } else { Err(mismatch()) }
}

fn mismatch() -> Error {
    Error::new(ErrorKind::Damaged, MISMATCH.to_string())
}

fn damaged(error: ImageError) -> Error {
    Error::new(ErrorKind::Damaged, error.to_string())
}

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
use crate::runtime::code_memory::{self, CodeBlock, CodeKind, CodeMap, Part};
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::signature::no_code_memory;
use crate::runtime::sys::file_map::FileMap;
use std::ops::Range;
use std::sync::Arc;

/// The code of a module, by index of defined function.
#[derive(Debug)]
pub struct ModuleImage {
    file: Arc<FileMap>,
    code: Range<usize>,
    tables: Range<usize>,
    /// The code where it can be executed; none where the file system does not let anybody: then each function is copied.
    map: Option<CodeMap>,
}

impl ModuleImage {
    /// The code at `code` in the file, which begins at a page, and what must be known of it, for a module of `count`
    /// defined functions.
    pub fn new(
        file: Arc<FileMap>,
        code: Range<usize>,
        tables: Range<usize>,
        count: usize,
    ) -> Result<ModuleImage, Error> {
        let found = Image::new(&file.bytes()[code.clone()], &file.bytes()[tables.clone()]).map_err(damaged)?.len();
        if found as usize != count {
            let message = format!("damaged serialized module: code of {found} functions instead of {count}");
            return Err(Error::new(ErrorKind::Damaged, message));
        }
        let map = file
            .descriptor()
            .filter(|_| !code.is_empty() && u32::try_from(code.len()).is_ok())
            .and_then(|descriptor| CodeMap::new(descriptor, code.start, code.len()).ok());
        Ok(ModuleImage { file, code, tables, map })
    }

    /// The code of a defined function, made known to the process as `kind`; none if there is none.
    pub fn place(&self, index: u32, kind: CodeKind) -> Result<Option<CodeBlock>, Error> {
        let bytes = self.file.bytes();
        let image = Image::new(&bytes[self.code.clone()], &bytes[self.tables.clone()]).map_err(damaged)?;
        let (Some(range), Some(code)) = (image.range(index).map_err(damaged)?, image.function(index).map_err(damaged)?)
        else {
            return Ok(None);
        };
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

fn damaged(error: ImageError) -> Error {
    Error::new(ErrorKind::Damaged, error.to_string())
}

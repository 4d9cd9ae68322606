//! Modules (section 2.5).

use super::engine::Engine;
use super::error::Error;
use crate::runtime::module::CompiledModule;
use crate::runtime::serialize;
use crate::types::{ExportType, ImportType};
use std::ffi::CString;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// A module, decoded and validated, ready to be instantiated in any store of its engine. Cheap to clone; any thread may use it.
///
/// ```
/// use tenon::{Engine, ErrorKind, Module};
///
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module (import "a" "b" (memory 1)) (func (export "f")))"#)?;
/// assert_eq!(module.imports()[0].name, "b");
/// assert_eq!(module.exports()[0].name, "f");
///
/// let error = Module::new(&engine, b"\0asm\x01\0\0\0\xff").unwrap_err();
/// assert_eq!((error.kind(), error.offset()), (ErrorKind::Malformed, Some(8)));
/// # Ok::<(), tenon::Error>(())
/// ```
#[derive(Clone)]
pub struct Module(pub(super) Arc<CompiledModule>);

impl Module {
    /// A module from its binary format, or from its text. Bytes that do not begin like a binary module but are UTF-8 are
    /// taken for text. Functions are compiled when they are first called, unless the configuration says otherwise.
    pub fn new(engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<Module, Error> {
        let bytes = bytes.as_ref();
        match str::from_utf8(bytes) {
            Ok(text) if !bytes.starts_with(b"\0") && !bytes.is_empty() => {
                let binary = crate::text::translate(text.as_bytes())?;
                Module::from_binary(engine, &binary)
            }
            _ => Module::from_binary(engine, bytes),
        }
    }

    /// A module from its binary format.
    pub fn from_binary(engine: &Engine, bytes: &[u8]) -> Result<Module, Error> {
        Ok(Module(CompiledModule::new(&engine.0, bytes.into())?))
    }

    /// Whether the bytes are a module that the engine would take. Nothing is compiled.
    pub fn validate(engine: &Engine, bytes: &[u8]) -> Result<(), Error> {
        let module = crate::module::Module::new(bytes.into(), &engine.0.config().features, 1);
        module.map(drop).map_err(|error| crate::runtime::module::from_module(error).into())
    }

    /// The module with the code of all its functions, as bytes for [`Module::deserialize`].
    ///
    /// ```
    /// # use tenon::{Engine, Instance, Module, Store};
    /// let engine = Engine::default();
    /// let module = Module::new(&engine, r#"(module (func (export "f") (result i32) (i32.const 7)))"#)?;
    /// let bytes = module.serialize()?;
    /// // SAFETY: the bytes come straight from `serialize`.
    /// let module = unsafe { Module::deserialize(&engine, &bytes)? };
    /// let mut store = Store::new(&engine, ());
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// assert_eq!(instance.typed_func::<(), i32>(&mut store, "f")?.call(&mut store, ())?, 7);
    /// # Ok::<(), tenon::Error>(())
    /// ```
    pub fn serialize(&self) -> Result<Vec<u8>, Error> {
        Ok(serialize::serialize(&self.0)?)
    }

    /// The module of what [`Module::serialize`] gave. Damage is noticed; code of another version, machine or configuration is
    /// compiled anew.
    ///
    /// # Safety
    /// The bytes contain machine code, which will run. They come from [`Module::serialize`], and nobody had the chance to
    /// replace them on purpose.
    pub unsafe fn deserialize(engine: &Engine, bytes: &[u8]) -> Result<Module, Error> {
        Ok(Module(serialize::deserialize(&engine.0, bytes)?))
    }

    /// The module of a file that holds what [`Module::serialize`] gave. The file is mapped: nothing is read before it is
    /// needed, and processes share its memory.
    ///
    /// # Safety
    /// As [`Module::deserialize`]; and as long as the module or an instance of it lives, nobody writes to the file or makes it shorter. It may be deleted, or
    /// replaced by another of the same name.
    ///
    /// ```
    /// # use tenon::{Engine, Module};
    /// let engine = Engine::default();
    /// let path = std::env::temp_dir().join(format!("tenon-{}.module", std::process::id()));
    /// std::fs::write(&path, Module::new(&engine, "(module (func))")?.serialize()?).unwrap();
    /// // SAFETY: nobody else knows the file.
    /// let module = unsafe { Module::deserialize_file(&engine, &path)? };
    /// std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), tenon::Error>(())
    /// ```
    pub unsafe fn deserialize_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Module, Error> {
        let path = CString::new(path.as_ref().as_os_str().as_bytes());
        let path = path.map_err(|_| Error::argument("a path with a zero byte in it"))?;
        Ok(Module(serialize::deserialize_file(&engine.0, &path)?))
    }

    /// The name, if the module has a name section that gives one.
    pub fn name(&self) -> Option<&str> {
        self.0.module.name()
    }

    /// What must be given to instantiate it, in order.
    pub fn imports(&self) -> Vec<ImportType> {
        self.0.module.import_types()
    }

    /// What its instances give, in order.
    pub fn exports(&self) -> Vec<ExportType> {
        self.0.module.export_types()
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("name", &self.name()).finish_non_exhaustive()
    }
}

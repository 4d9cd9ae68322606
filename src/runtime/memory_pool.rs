#[derive(Debug)] pub struct MemorySlot; #[derive(Debug)] pub struct MemoryPool;
impl MemorySlot { pub fn base(&self)->*mut u8 {todo!()} pub fn accessible(&self)->usize{todo!()} pub fn reservation(&self)->usize{todo!()} pub fn set_accessible(&mut self,_:usize)->std::io::Result<()> {todo!()} }
impl MemoryPool { pub fn new(_:usize)->MemoryPool{todo!()} pub fn take(&self,_:usize,_:usize,_:usize)->std::io::Result<MemorySlot>{todo!()} pub fn give(&self,_:MemorySlot){} }

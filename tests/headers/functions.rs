//! The functions that the text of a header declares, for tests that need no more than their names.

/// The names of the functions that come from the library, in order.
pub fn declared(header: &str) -> Vec<String> {
    let mut names = Vec::new();
    for line in header.lines() {
        // The macros of the header mention the prefix too, but not at the beginning of a line.
        if let Some(declaration) = line.strip_prefix("WASM_API_EXTERN ") {
            let head = declaration.split('(').next().expect("a split has a first part");
            let name = head.rsplit([' ', '*']).next().expect("a split has a first part");
            names.push(name.to_string());
        }
    }
    names
}

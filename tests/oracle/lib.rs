//! Nothing: this package only names a dependency whose sources the tests read.

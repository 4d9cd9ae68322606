// Programs as their users publish them, as guests: the rows that run them.
#ifndef GUESTS_H
#define GUESTS_H

#include "rows.h"

// SQLite, of the package sql.js: a table is filled with 5,000 rows, and a query sums them.
sample_t run_sqlite(void);

// resvg, of the package @resvg/resvg-wasm: a picture of 512 by 512 points; the second from the module's bytes on.
sample_t run_resvg(void);
sample_t run_resvg_cold(void);

// The package web-tree-sitter: a parser is made, memory is allocated and freed, letters are told from other characters.
sample_t run_tree_sitter(void);

// The package esbuild-wasm, a large program in Go: its start, until it misses its host, from the module's bytes on.
sample_t run_esbuild(void);

#endif

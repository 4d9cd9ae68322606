// wat2wasm INPUT OUTPUT: translates the text of a module into its binary form.
//
// The build uses this program to make the .wasm files that the other examples load. Errors name the
// file, line and column.

#include "example_util.h"

int main(int argc, char* argv[]) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s INPUT.wat OUTPUT.wasm\n", argv[0]);
    return 2;
  }

  own wasm_byte_vec_t text = read_file(argv[1]);
  own wasm_byte_vec_t binary;
  own tenon_error_t* error = tenon_wat2wasm(text.data, text.size, &binary);
  wasm_byte_vec_delete(&text);
  if (error != NULL) {
    fprintf(stderr, "%s: %s\n", argv[1], tenon_error_message(error));
    tenon_error_delete(error);
    return 1;
  }

  FILE* file = fopen(argv[2], "wb");
  bool written = file != NULL && fwrite(binary.data, binary.size, 1, file) == 1;
  if (file != NULL && fclose(file) != 0) written = false;
  wasm_byte_vec_delete(&binary);
  if (!written) {
    perror(argv[2]);
    return 1;
  }
  return 0;
}

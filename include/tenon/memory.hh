// tenon/memory.hh: memories, and parts of them as elements of a type.
//
// A part of tenon.hh, which includes it. C++17.
//
// Licensed under Apache-2.0 WITH LLVM-exception.

#ifndef TENON_HH
#include "../tenon.hh"
#elif !defined(TENON_MEMORY_HH)
#define TENON_MEMORY_HH

namespace tenon {

class Memory;

/// A part of a memory as elements of a type. It was checked to lie inside, and stays usable whatever grows: it keeps the
/// memory alive and asks for its address at each access. Elements are little-endian and need not be aligned.
template <class T>
class Span {
  static_assert(std::is_trivially_copyable_v<T>, "elements are copied as bytes");

public:
  /// The number of elements.
  size_t size() const noexcept { return size_; }

  /// An element. Throws if there are fewer.
  T operator[](size_t index) const {
    T value;
    std::memcpy(&value, at(index, 1), sizeof(T));
    return value;
  }

  /// Replaces an element. Throws if there are fewer.
  void set(size_t index, T value) const { std::memcpy(at(index, 1), &value, sizeof(T)); }

  /// A part of this part. Throws if it does not lie inside.
  Span slice(size_t first, size_t count) const {
    at(first, count);
    return Span(memory_, offset_ + first * sizeof(T), count);
  }

  /// All elements, copied.
  std::vector<T> to_vector() const {
    std::vector<T> values(size_);
    if (size_ != 0) std::memcpy(values.data(), at(0, size_), size_ * sizeof(T));
    return values;
  }

  /// Writes elements over the first ones here. Throws, and writes nothing, if there are fewer here.
  void assign(const T *values, size_t count) const {
    char *place = at(0, count);
    if (count != 0) std::memcpy(place, values, count * sizeof(T));
  }

private:
  friend class Memory;
  std::shared_ptr<wasm::Memory> memory_;
  size_t offset_;
  size_t size_;

  Span(std::shared_ptr<wasm::Memory> memory, size_t offset, size_t size)
      : memory_(std::move(memory)), offset_(offset), size_(size) {}

  char *at(size_t index, size_t count) const {
    if (index > size_ || count > size_ - index) {
      throw Error(TENON_ERROR_ARGUMENT, std::to_string(count) + " elements at " + std::to_string(index) +
                                            " are outside of the span's " + std::to_string(size_));
    }
    return memory_->data() + offset_ + index * sizeof(T);
  }
};

namespace detail {

// The kind of elements of a type.
template <class T>
constexpr tenon_element_t element_of() {
  static_assert(std::is_arithmetic_v<T> && sizeof(T) <= 8, "elements are integers or floats of at most 64 bits");
  if constexpr (std::is_floating_point_v<T>) return sizeof(T) == 4 ? TENON_ELEMENT_F32 : TENON_ELEMENT_F64;
  return sizeof(T) == 1   ? TENON_ELEMENT_I8
         : sizeof(T) == 2 ? TENON_ELEMENT_I16
         : sizeof(T) == 4 ? TENON_ELEMENT_I32
                          : TENON_ELEMENT_I64;
}

}  // namespace detail

/// A part of a memory as an array of numbers, at the address where it is: for loops that should cost nothing. It keeps the memory
/// alive, and knows when it is stale: after any growth, also one that WebAssembly asked for. Elements are aligned.
template <class T>
class View {
public:
  /// Whether the memory has not grown since the view was made or renewed.
  bool is_valid() const noexcept { return tenon_memory_view_is_valid(wasm::detail::c(memory_.get()), &view_); }

  /// Makes the view good again: the same offset and number of elements.
  void refresh() { detail::check(tenon_memory_view_refresh(wasm::detail::c(memory_.get()), &view_)); }

  /// The address of the first element. Throws if the view is stale.
  T *data() const {
    if (!is_valid()) throw Error(TENON_ERROR_ARGUMENT, "the view is stale: its memory has grown");
    return reinterpret_cast<T *>(view_.data);
  }

  /// The number of elements.
  size_t size() const noexcept { return static_cast<size_t>(view_.size / sizeof(T)); }

  /// Where it begins in the memory, in bytes.
  uint64_t offset() const noexcept { return view_.offset; }

  /// The first element, and the place behind the last one. They throw if the view is stale.
  T *begin() const { return data(); }
  T *end() const { return data() + size(); }

  /// An element. Throws if there are fewer, or the view is stale.
  T &operator[](size_t index) const {
    if (index >= size()) {
      throw Error(TENON_ERROR_ARGUMENT,
                  "there is no element " + std::to_string(index) + " in a view of " + std::to_string(size()));
    }
    return data()[index];
  }

private:
  friend class Memory;
  std::shared_ptr<wasm::Memory> memory_;
  tenon_memory_view_t view_;

  View(std::shared_ptr<wasm::Memory> memory, const tenon_memory_view_t &view) : memory_(std::move(memory)), view_(view) {}
};

/// What becomes of bytes that are not UTF-8: an error, or the character U+FFFD.
enum class Utf8 { strict, lossy };

/// The type of a memory. Sizes are in pages.
struct MemoryType {
  /// The least size, and the greatest.
  uint64_t min = 0;
  std::optional<uint64_t> max = std::nullopt;
  /// Whether addresses have 64 bits, else 32.
  bool is64 = false;
  /// Whether it can be used by stores on several threads.
  bool shared = false;
  /// The binary logarithm of the bytes of a page: 16 or 0.
  uint8_t page_size_log2 = 16;

  /// What a type of wasm.h, which is taken over, says.
  static MemoryType own(wasm_memorytype_t *type) {
    std::unique_ptr<wasm_memorytype_t, void (*)(wasm_memorytype_t *)> owned(type, wasm_memorytype_delete);
    MemoryType made{tenon_memorytype_minimum(type), std::nullopt, tenon_memorytype_is64(type), tenon_memorytype_is_shared(type),
                    tenon_memorytype_page_size_log2(type)};
    uint64_t max;
    if (tenon_memorytype_maximum(type, &max)) made.max = max;
    return made;
  }

  /// The type as an object of wasm.h. Throws if there is no such type.
  std::unique_ptr<wasm_memorytype_t, void (*)(wasm_memorytype_t *)> make() const {
    wasm_memorytype_t *made;
    detail::check(tenon_memorytype_new(min, max.has_value(), max.value_or(0), is64, shared, page_size_log2, &made));
    return {made, wasm_memorytype_delete};
  }
};

/// What a memory held at some time, copied. Independent of the memory and its store; any thread may use it.
class Snapshot {
public:
  /// The size in bytes.
  uint64_t size() const noexcept { return tenon_memory_snapshot_size(get()); }

  /// The object below.
  const tenon_memory_snapshot_t *get() const noexcept { return snapshot_.get(); }

private:
  friend class Memory;
  std::shared_ptr<tenon_memory_snapshot_t> snapshot_;

  explicit Snapshot(tenon_memory_snapshot_t *owned) : snapshot_(owned, tenon_memory_snapshot_delete) {}
};

/// A linear memory. Every access is checked.
class Memory {
public:
  /// A memory of a type.
  Memory(const Store &store, const MemoryType &type) {
    auto made_type = type.make();
    wasm_memory_t *made;
    detail::check(tenon_memory_new(store.c(), made_type.get(), &made));
    memory_ = std::shared_ptr<wasm::Memory>(wasm::detail::cc(made), wasm::destroyer());
  }

  /// A memory of so many pages at first, and at most.
  Memory(const Store &store, uint32_t pages, uint32_t max_pages = wasm_limits_max_default) {
    wasm::own<wasm::MemoryType> type = wasm::MemoryType::make(wasm::Limits(pages, max_pages));
    wasm::own<wasm::Memory> memory = wasm::Memory::make(store.get(), type.get());
    if (!memory) detail::fail("no memory could be made");
    memory_ = std::shared_ptr<wasm::Memory>(memory.release(), wasm::destroyer());
  }

  /// Another reference to a memory.
  explicit Memory(const wasm::Memory *memory) {
    if (memory == nullptr) throw Error(TENON_ERROR_ARGUMENT, "there is no memory");
    memory_ = std::shared_ptr<wasm::Memory>(memory->copy().release(), wasm::destroyer());
  }

  /// Bytes of a page.
  static constexpr size_t page_size = 0x10000;

  /// The type, with the size that the memory has now as its minimum.
  MemoryType type() const { return MemoryType::own(wasm_memory_type(wasm::detail::c(memory_.get()))); }

  /// The size in pages.
  uint64_t pages() const { return tenon_memory_size(wasm::detail::c(memory_.get())); }

  /// Bytes of a page of this memory.
  uint64_t page_bytes() const { return tenon_memory_page_size(wasm::detail::c(memory_.get())); }

  /// The size in bytes.
  size_t size() const { return memory_->data_size(); }

  /// Adds pages, filled with zeros; how many there were. Throws, and nothing changes, if that are too many.
  uint64_t grow(uint64_t delta) const {
    uint64_t old = 0;
    detail::check(tenon_memory_grow(wasm::detail::c(memory_.get()), delta, &old));
    return old;
  }

  /// Adds as many pages as are missing to so many; how many there were. Throws, and nothing changes, if that are too many.
  uint64_t grow_at_least(uint64_t pages) const {
    uint64_t old = 0;
    detail::check(tenon_memory_grow_at_least(wasm::detail::c(memory_.get()), pages, &old));
    return old;
  }

  /// Whether its address never changes, so that addresses within it stay good however it grows.
  bool is_pinned() const noexcept { return tenon_memory_is_pinned(wasm::detail::c(memory_.get())); }

  /// A number that changes whenever the memory grows, by the host or by WebAssembly code.
  uint64_t generation() const noexcept { return tenon_memory_generation(wasm::detail::c(memory_.get())); }

  /// The address of a part, with what `is_valid` needs to tell whether it is still good. Throws if it does not lie inside.
  tenon_memory_view_t view(uint64_t offset, uint64_t length) const {
    tenon_memory_view_t made;
    detail::check(tenon_memory_view(wasm::detail::c(memory_.get()), offset, length, &made));
    return made;
  }

  /// Whether a view is of this memory, which has not grown since.
  bool is_valid(const tenon_memory_view_t &view) const noexcept {
    return tenon_memory_view_is_valid(wasm::detail::c(memory_.get()), &view);
  }

  /// A part as an array of so many numbers. Throws if it does not lie inside, or the offset is not a multiple of an element's
  /// size.
  template <class T>
  View<T> view_of(uint64_t offset, uint64_t count) const {
    tenon_memory_view_t made;
    detail::check(
        tenon_memory_view_of(wasm::detail::c(memory_.get()), detail::element_of<T>(), offset, count, &made));
    return View<T>(memory_, made);
  }

  /// The offset of an address of the host, from which on so many bytes lie inside of the memory. Throws if they do not.
  uint64_t offset_of(const void *address, uint64_t length) const {
    uint64_t offset = 0;
    detail::check(tenon_memory_offset(wasm::detail::c(memory_.get()), address, length, &offset));
    return offset;
  }

  /// The offset of an element of an array: `index` elements of `size` bytes behind `offset`. Throws if the element does not lie
  /// inside, whatever the sum and the product may be.
  uint64_t element(uint64_t offset, uint64_t index, uint64_t size) const {
    uint64_t found = 0;
    detail::check(tenon_memory_element(wasm::detail::c(memory_.get()), offset, index, size, &found));
    return found;
  }

  /// Fills a part with a byte. Throws if it does not lie inside.
  void fill(uint64_t offset, uint8_t value, uint64_t length) const {
    detail::check(tenon_memory_fill(wasm::detail::c(memory_.get()), offset, value, length));
  }

  /// Copies bytes of a memory, which may be this one, to here. Throws, and copies nothing, if a part does not lie inside.
  void copy_from(uint64_t offset, const Memory &from, uint64_t from_offset, uint64_t length) const {
    wasm_memory_t *source = wasm::detail::c(from.memory_.get());
    detail::check(tenon_memory_copy(wasm::detail::c(memory_.get()), offset, source, from_offset, length));
  }

  /// Fills a part with zeros and gives the system back what it took up. Throws if it does not lie inside.
  void discard(uint64_t offset, uint64_t length) const {
    detail::check(tenon_memory_discard(wasm::detail::c(memory_.get()), offset, length));
  }

  /// A text that ends before the first NUL, among the first `most` bytes. Throws if there is none, or if it is not UTF-8.
  std::string read_cstring(uint64_t offset, uint64_t most, Utf8 utf8 = Utf8::strict) const {
    wasm_byte_vec_t bytes;
    wasm_memory_t *memory = wasm::detail::c(memory_.get());
    detail::check(tenon_memory_read_cstring(memory, offset, most, utf8 == Utf8::lossy, &bytes));
    return detail::text_in(bytes);
  }

  /// The bytes before the first NUL, of which there must be one among the first `most` bytes.
  uint64_t cstring_length(uint64_t offset, uint64_t most) const {
    uint64_t length = 0;
    detail::check(tenon_memory_cstring_length(wasm::detail::c(memory_.get()), offset, most, &length));
    return length;
  }

  /// Writes a text and a NUL, of at most `room` bytes together. Throws, and writes nothing, if there is no room or it has a NUL.
  void write_cstring(uint64_t offset, uint64_t room, std::string_view text) const {
    wasm_memory_t *memory = wasm::detail::c(memory_.get());
    detail::check(tenon_memory_write_cstring(memory, offset, room, text.data(), text.size()));
  }

  /// A text of so many bytes. Throws if they do not lie inside, or are not UTF-8.
  std::string read_text(uint64_t offset, uint64_t length, Utf8 utf8 = Utf8::strict) const {
    wasm_byte_vec_t bytes;
    wasm_memory_t *memory = wasm::detail::c(memory_.get());
    detail::check(tenon_memory_read_string(memory, offset, length, utf8 == Utf8::lossy, &bytes));
    return detail::text_in(bytes);
  }

  /// Copies what the memory holds.
  tenon::Snapshot snapshot() const {
    tenon_memory_snapshot_t *made = nullptr;
    detail::check(tenon_memory_snapshot(wasm::detail::c(memory_.get()), &made));
    return Snapshot(made);
  }

  /// Brings back what the memory held, or another one; what was added since becomes zero. Throws if the memory is smaller.
  void restore(const tenon::Snapshot &snapshot) const {
    detail::check(tenon_memory_restore(wasm::detail::c(memory_.get()), snapshot.get()));
  }

  /// A part of the memory, from an offset in bytes, of so many elements. Throws if it does not lie inside.
  template <class T = char>
  Span<T> span(uint64_t offset, uint64_t count) const {
    if (offset > size() || count > (size() - offset) / sizeof(T)) {
      throw Error(TENON_ERROR_ARGUMENT,
                  std::to_string(count) + " elements of " + std::to_string(sizeof(T)) + " bytes at offset " +
                      std::to_string(offset) + " are outside of the memory of " + std::to_string(size()) + " bytes");
    }
    return Span<T>(memory_, static_cast<size_t>(offset), static_cast<size_t>(count));
  }

  /// The value at an offset in bytes. Throws if it does not lie inside.
  template <class T>
  T read(uint64_t offset) const {
    return span<T>(offset, 1)[0];
  }

  /// Writes a value at an offset in bytes. Throws if it does not lie inside.
  template <class T>
  void write(uint64_t offset, T value) const {
    span<T>(offset, 1).set(0, value);
  }

  /// The bytes of a text, whatever they are. Throws if they do not lie inside.
  std::string read_string(uint64_t offset, uint64_t length) const {
    std::vector<char> bytes = span<char>(offset, length).to_vector();
    return std::string(bytes.begin(), bytes.end());
  }

  /// Writes the bytes of a text. Throws, and writes nothing, if they do not lie inside.
  void write_string(uint64_t offset, std::string_view text) const {
    span<char>(offset, text.size()).assign(text.data(), text.size());
  }

  /// The object below.
  wasm::Memory *get() const noexcept { return memory_.get(); }

private:
  std::shared_ptr<wasm::Memory> memory_;
};

}  // namespace tenon

#endif  // TENON_MEMORY_HH

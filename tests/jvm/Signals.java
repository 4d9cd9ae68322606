// Signals.java: Tenon in the JVM, through the foreign function interface of Java 22 and newer. Traps that the processor finds,
// exhausted stacks, null pointers and stack overflows of Java, all in turns and with the collector running; WebAssembly calls Java
// and is called from there. Prints how many checks were made; any failure is an exception.
//
//   java --enable-native-access=ALL-UNNAMED Signals.java LIBTENON [checked]

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.charset.StandardCharsets;

public class Signals {
    static final AddressLayout POINTER = ValueLayout.ADDRESS;
    static final ValueLayout.OfLong SIZE = ValueLayout.JAVA_LONG;
    static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    static final Arena ARENA = Arena.global();
    static final Linker LINKER = Linker.nativeLinker();
    static SymbolLookup library;

    static final String TEXT = """
        (module (import "java" "f" (func $f (param i32) (result i32))) (memory 1)
          (func (export "load") (param i32) (result i32) (drop (call $f (i32.const 1))) (i32.load (local.get 0)))
          (func (export "divide") (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0)))
          (func $down (export "down") (param i32) (result i32) (i32.add (i32.const 1) (call $down (local.get 0)))))""";
    static final int ROUNDS = 20_000, OUT_OF_BOUNDS = 5, DIVIDE_BY_ZERO = 2, STACK_EXHAUSTED = 10;

    static volatile Object nothing;
    static int checks, callbacks;

    static void check(boolean holds, String what) {
        if (!holds) throw new AssertionError(what);
        checks++;
    }

    /** A function of the library that returns something; null stands for nothing. */
    static MethodHandle function(String name, MemoryLayout result, MemoryLayout... parameters) {
        FunctionDescriptor type = result == null ? FunctionDescriptor.ofVoid(parameters) : FunctionDescriptor.of(result, parameters);
        return LINKER.downcallHandle(library.find(name).orElseThrow(), type);
    }

    static MemorySegment make(String name, Object... arguments) throws Throwable {
        MemoryLayout[] parameters = new MemoryLayout[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            parameters[i] = arguments[i] instanceof Long ? SIZE : arguments[i] instanceof Byte ? BYTE
                : arguments[i] instanceof Boolean ? ValueLayout.JAVA_BOOLEAN : POINTER;
        }
        return (MemorySegment) function(name, POINTER, parameters).invokeWithArguments(arguments);
    }

    static void succeed(MemorySegment error, String what) {
        check(error.equals(MemorySegment.NULL), what);
    }

    /** A null pointer that HotSpot finds by a signal, once it has compiled this. */
    static boolean nullPointer() {
        try {
            return nothing.hashCode() < 0;
        } catch (NullPointerException expected) {
            return true;
        }
    }

    /** The host function: (i32) -> (i32). */
    static MemorySegment callback(MemorySegment env, MemorySegment caller, MemorySegment values) {
        if (nullPointer()) callbacks++;
        return MemorySegment.NULL;
    }

    static int recurse(int depth) {
        return recurse(depth + 1) + 1;
    }

    static MemorySegment vector(MemorySegment element) throws Throwable {
        MemorySegment vector = ARENA.allocate(16), elements = ARENA.allocate(POINTER);
        elements.set(POINTER, 0, element);
        function("wasm_valtype_vec_new", null, POINTER, SIZE, POINTER).invoke(vector, 1L, elements);
        return vector;
    }

    public static void main(String[] arguments) throws Throwable {
        library = SymbolLookup.libraryLookup(arguments[0], ARENA);
        MemorySegment config = make("wasm_config_new");
        if (arguments.length > 1) function("tenon_config_set_signals", null, POINTER, ValueLayout.JAVA_BOOLEAN).invoke(config, false);
        MemorySegment store = make("wasm_store_new", make("wasm_engine_new_with_config", config));
        MemorySegment text = ARENA.allocateFrom(TEXT, StandardCharsets.UTF_8), binary = ARENA.allocate(16);
        succeed(make("tenon_wat2wasm", text, text.byteSize() - 1, binary), "the text is a module");
        MemorySegment module = make("wasm_module_new", store, binary);

        MethodHandle method = MethodHandles.lookup().findStatic(Signals.class, "callback", MethodType.methodType(
            MemorySegment.class, MemorySegment.class, MemorySegment.class, MemorySegment.class));
        MemorySegment upcall = LINKER.upcallStub(method, FunctionDescriptor.of(POINTER, POINTER, POINTER, POINTER), ARENA);
        MemorySegment type = make("wasm_functype_new", vector(make("wasm_valtype_new", (byte) 0)), vector(make("wasm_valtype_new", (byte) 0)));
        MemorySegment host = ARENA.allocate(POINTER);
        succeed(make("tenon_func_new_raw", store, type, upcall, MemorySegment.NULL, MemorySegment.NULL, host), "a host function");

        MemorySegment imports = ARENA.allocate(16), exports = ARENA.allocate(16);
        imports.set(SIZE, 0, 1);
        imports.set(POINTER, 8, host);
        MemorySegment instance = make("wasm_instance_new", store, module, imports, MemorySegment.NULL);
        check(!instance.equals(MemorySegment.NULL), "an instance");
        function("wasm_instance_exports", null, POINTER, POINTER).invoke(instance, exports);
        MemorySegment functions = exports.get(POINTER, 8).reinterpret(3 * POINTER.byteSize());

        MethodHandle call = function("tenon_func_call_raw", POINTER, POINTER, POINTER);
        MethodHandle code = function("tenon_trap_code", BYTE, POINTER), delete = function("wasm_trap_delete", null, POINTER);
        MemorySegment values = ARENA.allocate(16, 16);
        int[] wrong = {-8, 0, 0}, expected = {OUT_OF_BOUNDS, DIVIDE_BY_ZERO, STACK_EXHAUSTED};
        for (int round = 0; round < ROUNDS; round++) {
            int which = round % 100 == 2 ? 2 : round % 2;
            values.set(ValueLayout.JAVA_INT, 0, wrong[which]);
            MemorySegment trap = (MemorySegment) call.invokeExact(functions.getAtIndex(POINTER, which), values);
            check((byte) code.invokeExact(trap) == expected[which], "a trap of the right kind");
            delete.invokeExact(trap);
            check(nullPointer(), "a null pointer of Java");
            values.set(ValueLayout.JAVA_INT, 0, 4);
            trap = (MemorySegment) call.invokeExact(functions.getAtIndex(POINTER, 0), values);
            check(trap.equals(MemorySegment.NULL) && values.get(ValueLayout.JAVA_INT, 0) == 0, "a call that returns");
            if (round % 1000 == 0) System.gc();
            if (round % 5000 == 0) {
                try {
                    check(recurse(0) < 0, "a stack overflow of Java");
                } catch (StackOverflowError overflow) {
                    checks++;
                }
            }
        }
        check(callbacks > ROUNDS, "callbacks");
        System.out.println(checks + " checks");
    }
}

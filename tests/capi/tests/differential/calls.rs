//! Modules of small functions that call each other: directly, through tables, themselves, in loops, in blocks that catch.
//!
//! wasm-smith makes few calls, and bodies that are too large to be put in place of one. Here nearly all is about calls. A
//! function calls those behind it, or itself with less; loops take fuel, so that everything ends.

use std::fmt::Write;

use crate::generate::{Judge, Random};
use wast::Wat;
use wast::parser::{ParseBuffer, parse};

/// Turns of loops and calls of a function by itself that a module may make.
const FUEL: u32 = 400;
/// Locals of each function besides its parameters.
const LOCALS: [Ty; 3] = [Ty::I32, Ty::I32, Ty::I64];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ty {
    I32,
    I64,
}

impl Ty {
    fn name(self) -> &'static str {
        if self == Ty::I32 { "i32" } else { "i64" }
    }
}

struct Func {
    params: Vec<Ty>,
    results: Vec<Ty>,
}

struct Calls {
    random: Random,
    funcs: Vec<Func>,
    /// The function that is being made.
    this: usize,
    /// Whether exceptions are allowed.
    exceptions: bool,
    /// Calls that the function may still make.
    calls: u32,
    /// How many labels were made.
    labels: u32,
}

/// The module of this seed.
pub fn module(seed: u64, judge: Judge) -> Vec<u8> {
    let mut random = Random::new(seed, 0xca11);
    let count = 3 + random.below(8) as usize;
    let mut types = |most: u64| -> Vec<Ty> {
        (0..random.below(most + 1)).map(|_| if random.below(3) == 0 { Ty::I64 } else { Ty::I32 }).collect()
    };
    let mut funcs: Vec<Func> = (0..count).map(|_| Func { params: types(3), results: types(2) }).collect();
    // Those in the tables are of few types.
    for func in funcs.iter_mut().skip(1).step_by(2) {
        *func = Func { params: vec![Ty::I32], results: vec![Ty::I32] };
    }
    let exceptions = judge == Judge::Ourselves;
    let text = Calls { random, funcs, this: 0, exceptions, calls: 0, labels: 0 }.module();
    let buffer = ParseBuffer::new(&text).expect("the text is well-formed");
    let mut wat = parse::<Wat<'_>>(&buffer).unwrap_or_else(|error| panic!("{error}\n{text}"));
    wat.encode().unwrap_or_else(|error| panic!("{error}\n{text}"))
}

impl Calls {
    fn module(mut self) -> String {
        let mut text = String::from("(module (type $t (func (param i32) (result i32)))\n");
        if self.exceptions {
            text.push_str("(tag $e (param i32))\n");
        }
        text.push_str(
            "(memory (export \"m\") 1 1) (table $constant 8 8 funcref) (table $changed (export \"t\") 8 8 funcref)\n",
        );
        write!(text, "(global $fuel (mut i32) (i32.const {FUEL}))").unwrap();
        for (global, ty) in [("a", "i32"), ("b", "i32"), ("c", "i64")] {
            writeln!(text, "(global ${global} (export \"{global}\") (mut {ty}) ({ty}.const 3))").unwrap();
        }
        for table in ["constant", "changed"] {
            let start = self.random.below(3);
            let funcs: String = (1..self.funcs.len()).take(5).map(|func| format!(" $f{func}")).collect();
            writeln!(text, "(elem (table ${table}) (i32.const {start}) func{funcs})").unwrap();
        }
        for func in 0..self.funcs.len() {
            self.this = func;
            self.calls = 1 + self.random.below(3) as u32;
            let list = |types: &[Ty]| types.iter().map(|ty| format!(" {}", ty.name())).collect::<String>();
            let Func { params, results } = &self.funcs[func];
            write!(text, "(func $f{func} (export \"f{func}\") (param{}) (result{})", list(params), list(results))
                .unwrap();
            writeln!(text, " (local{})", list(&LOCALS)).unwrap();
            for _ in 0..self.random.below(3) {
                let statement = self.statement(2);
                writeln!(text, "  {statement}").unwrap();
            }
            for ty in self.funcs[func].results.clone() {
                let value = self.value(ty, 2);
                writeln!(text, "  {value}").unwrap();
            }
            text.push_str(")\n");
        }
        text.push(')');
        text
    }

    /// A local of this type; there is always one.
    fn local(&mut self, ty: Ty) -> usize {
        let types = self.funcs[self.this].params.iter().chain(&LOCALS);
        let all: Vec<usize> = types.enumerate().filter(|(_, local)| **local == ty).map(|(i, _)| i).collect();
        self.random.pick(&all)
    }

    fn label(&mut self) -> String {
        self.labels += 1;
        format!("$l{}", self.labels)
    }

    /// Takes fuel; traps without.
    const BURN: &str = "(global.set $fuel (i32.sub (global.get $fuel) (i32.const 1))) \
        (if (i32.lt_s (global.get $fuel) (i32.const 0)) (then (unreachable)))";

    /// A call with its arguments, and what it gives; none if there may be no more calls.
    fn call(&mut self, depth: u32) -> Option<(String, Vec<Ty>)> {
        self.calls = self.calls.checked_sub(1)?;
        let behind = self.funcs.len() - self.this - 1;
        let kind = self.random.below(8);
        if kind < 2 {
            // The functions of a table may stand before this one, which is recursion without end but for fuel.
            let table = ["constant", "changed"][kind as usize];
            let index = self.value(Ty::I32, 0);
            let index = if self.random.below(3) == 0 { index } else { format!("(i32.and {index} (i32.const 7))") };
            let arg = self.value(Ty::I32, depth);
            let call = format!("{} (call_indirect ${table} (type $t) {arg} {index})", Self::BURN);
            return Some((format!("(block (result i32) {call})"), vec![Ty::I32]));
        }
        let is_self = kind == 2 && self.funcs[self.this].params.first() == Some(&Ty::I32);
        if !is_self && behind == 0 {
            return None;
        }
        let callee = if is_self { self.this } else { self.this + 1 + self.random.below(behind as u64) as usize };
        let (params, results) = (self.funcs[callee].params.clone(), self.funcs[callee].results.clone());
        let args: String = params.iter().map(|ty| self.value(*ty, depth)).collect();
        if !is_self {
            return Some((format!("(call $f{callee} {args})"), results));
        }
        let list: String = results.iter().map(|ty| format!(" {}", ty.name())).collect();
        let otherwise: String = results.iter().map(|ty| self.value(*ty, 0)).collect();
        let call =
            format!("{} (local.set 0 (i32.shr_u (local.get 0) (i32.const 1))) (call $f{callee} {args})", Self::BURN);
        Some((format!("(if (result{list}) (local.get 0) (then {call}) (else {otherwise}))"), results))
    }

    fn value(&mut self, ty: Ty, depth: u32) -> String {
        let t = ty.name();
        if depth == 0 {
            return match self.random.below(4) {
                0 => format!("({t}.const {})", self.random.below(40) as i64 - 8),
                1 if ty == Ty::I32 => format!("(global.get ${})", self.random.pick(&["a", "b"])),
                1 => "(global.get $c)".into(),
                _ => format!("(local.get {})", self.local(ty)),
            };
        }
        let deeper = depth - 1;
        match self.random.below(12) {
            0..=2 => self.value(ty, 0),
            3 | 4 => {
                let op = self
                    .random
                    .pick(&["add", "sub", "mul", "xor", "and", "or", "shl", "rotl", "shr_u", "div_u", "rem_s"]);
                format!("({t}.{op} {} {})", self.value(ty, deeper), self.value(ty, deeper))
            }
            5 if ty == Ty::I32 => {
                let op = self.random.pick(&["lt_s", "ge_u", "eq", "ne"]);
                format!("(i64.{op} {} {})", self.value(Ty::I64, deeper), self.value(Ty::I64, deeper))
            }
            5 => format!("(i64.extend_i32_s {})", self.value(Ty::I32, deeper)),
            6 => {
                let address = self.value(Ty::I32, 0);
                let mask = self.random.pick(&[0xfff0u32, 0xfff0, 0xfff0, 0x1_ffff]);
                format!("({t}.load (i32.and {address} (i32.const {mask})))")
            }
            7 => {
                let (a, b, condition) = (self.value(ty, deeper), self.value(ty, deeper), self.value(Ty::I32, deeper));
                format!("(if (result {t}) {condition} (then {a}) (else {b}))")
            }
            8 if self.exceptions => {
                let (label, value) = (self.label(), self.value(Ty::I32, deeper));
                let caught =
                    format!("(block {label} (result i32) (try_table (result i32) (catch $e {label}) {value}))");
                if ty == Ty::I32 { caught } else { format!("(i64.extend_i32_u {caught})") }
            }
            _ => match self.call(deeper) {
                Some((call, results)) if results.contains(&ty) => {
                    // The wanted result; those around it go.
                    let at = results.iter().position(|result| *result == ty).expect("it is among them");
                    let kept = self.local(ty);
                    let drops = "(drop) ".repeat(results.len() - 1 - at);
                    let rest = "(drop) ".repeat(at);
                    format!("(block (result {t}) {call} {drops}(local.set {kept}) {rest}(local.get {kept}))")
                }
                Some((call, results)) => {
                    let drops = "(drop) ".repeat(results.len());
                    format!("(block (result {t}) {call} {drops}{})", self.value(ty, 0))
                }
                None => self.value(ty, 0),
            },
        }
    }

    fn statement(&mut self, depth: u32) -> String {
        let ty = if self.random.below(3) == 0 { Ty::I64 } else { Ty::I32 };
        if depth == 0 {
            return format!("(local.set {} {})", self.local(ty), self.value(ty, 1));
        }
        let deeper = depth - 1;
        match self.random.below(10) {
            0 | 1 => format!("(global.set ${} {})", self.random.pick(&["a", "b"]), self.value(Ty::I32, depth)),
            2 => format!("(global.set $c {})", self.value(Ty::I64, depth)),
            3 => {
                let (address, value) = (self.value(Ty::I32, 0), self.value(ty, depth));
                format!("({}.store (i32.and {address} (i32.const 0xfff0)) {value})", ty.name())
            }
            4 => {
                let (condition, then, otherwise) =
                    (self.value(Ty::I32, depth), self.statement(deeper), self.statement(deeper));
                format!("(if {condition} (then {then}) (else {otherwise}))")
            }
            5 => {
                let (label, condition) = (self.label(), self.value(Ty::I32, deeper));
                let (before, after) = (self.statement(deeper), self.statement(deeper));
                format!("(block {label} {before} (br_if {label} {condition}) {after})")
            }
            6 => {
                let (label, condition) = (self.label(), self.value(Ty::I32, deeper));
                format!("(loop {label} {} {} (br_if {label} {condition}))", Self::BURN, self.statement(deeper))
            }
            7 => {
                let results = self.funcs[self.this].results.clone();
                let values: String = results.iter().map(|ty| self.value(*ty, deeper)).collect();
                format!("(if {} (then (return {values})))", self.value(Ty::I32, deeper))
            }
            8 if self.exceptions => {
                format!("(if {} (then (throw $e {})))", self.value(Ty::I32, deeper), self.value(Ty::I32, deeper))
            }
            _ => self.statement(0),
        }
    }
}

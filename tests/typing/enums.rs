// Enums, of which a number, or what is no pointer, tells the variant. What another variant had left
// behind leads nowhere.

use std::ffi::{c_char, c_void, CStr};
use std::mem;

extern "C" {
    fn truth(block: *mut c_void, wanted: *const c_char, name: *const c_char) -> *mut c_void;
    fn truth_tell();
}

fn note<T>(value: T, name: &'static CStr) -> Box<T> {
    let mut block = Box::new(value);
    unsafe {
        truth(&mut *block as *mut T as *mut c_void, c"told".as_ptr(), name.as_ptr());
    }
    block
}

pub struct Leaf {
    pub numbers: [u64; 7],
}

pub struct Node {
    pub next: Option<Box<Node>>,
    pub shape: Shape,
}

pub enum Shape {
    Dot,
    Line(Box<Leaf>, u64),
    Deep { count: u32, node: Result<Box<Node>, Box<Leaf>> },
    Number(usize),
}

fn leaf() -> Box<Leaf> {
    note(Leaf { numbers: [3; 7] }, c"enums::Leaf")
}

fn node(next: Option<Box<Node>>, shape: Shape) -> Box<Node> {
    note(Node { next, shape }, c"enums::Node")
}

static mut LIST: Option<Box<Node>> = None;
static mut EMPTY: Option<Box<Node>> = None;
static mut LAST: Shape = Shape::Dot;

fn main() {
    let mut list = node(None, Shape::Dot);
    for i in 0..20 {
        let shape = match i % 4 {
            0 => Shape::Dot,
            1 => Shape::Line(leaf(), i),
            2 => Shape::Deep { count: 7, node: Ok(node(None, Shape::Dot)) },
            _ => Shape::Deep { count: 7, node: Err(leaf()) },
        };
        list = node(Some(list), shape);
    }
    // A number that would be a pointer if it were of another variant.
    let lost = Box::leak(Box::new([7u64; 6])) as *mut _ as usize;
    list = node(Some(list), Shape::Number(lost));
    unsafe {
        LIST = Some(list);
        LAST = Shape::Line(leaf(), 1);
        let kept = (&raw const EMPTY, &raw const LIST, &raw const LAST);
        mem::forget(kept);
        truth_tell();
    }
}

//! Programs: what each task does, in order, and what the host does between their turns.
//!
//! A program is text, a line for each operation with who performs it: a task by its
//! number, or the host. Pipes, sets and tasks have names that do not depend on what
//! else there is, so that a line can be left out; a task passes over a line about what it
//! does not have, and returns when it has no more lines.

use super::guest::Shape;
use std::collections::{HashMap, VecDeque};
use std::fmt;

/// What goes through a pipe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Element {
    None,
    U8,
    U32,
    String,
    /// The owner of a resource of the host's.
    Own,
}

impl Element {
    /// Bytes in memory.
    pub fn size(self) -> u32 {
        match self {
            Self::None => 0,
            Self::U8 => 1,
            Self::U32 | Self::Own => 4,
            Self::String => 8,
        }
    }

    pub fn alignment(self) -> u32 {
        self.size().clamp(1, 4)
    }
}

/// A type of streams or futures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PipeType {
    pub future: bool,
    pub element: Element,
}

const fn stream(element: Element) -> PipeType {
    PipeType { future: false, element }
}

const fn future(element: Element) -> PipeType {
    PipeType { future: true, element }
}

/// All types of pipes.
pub const PIPES: [PipeType; 10] = [
    stream(Element::None),
    stream(Element::U8),
    stream(Element::U32),
    stream(Element::String),
    future(Element::None),
    future(Element::U8),
    future(Element::U32),
    future(Element::String),
    stream(Element::Own),
    future(Element::Own),
];

/// How a function is lifted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Of an asynchronous type, with a callback.
    Callback,
    /// Of an asynchronous type, waiting in its code.
    Stackful,
    /// Of an asynchronous type, but lifted synchronously.
    Waiting,
    /// Of a synchronous type.
    Sync,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Callback, Kind::Stackful, Kind::Waiting, Kind::Sync];

    pub fn name(self) -> &'static str {
        match self {
            Self::Callback => "cb",
            Self::Stackful => "st",
            Self::Waiting => "sa",
            Self::Sync => "sy",
        }
    }

    /// Whether its type is asynchronous.
    pub fn blocks(self) -> bool {
        self != Self::Sync
    }

    /// Whether it is lifted asynchronously.
    pub fn lifted_async(self) -> bool {
        matches!(self, Self::Callback | Self::Stackful)
    }
}

/// A function that guests call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Func {
    New {
        ty: usize,
    },
    Copy {
        ty: usize,
        reads: bool,
        sync: bool,
    },
    Cancel {
        ty: usize,
        reads: bool,
        sync: bool,
    },
    Drop {
        ty: usize,
        reads: bool,
    },
    SetNew,
    SetWait,
    SetPoll,
    SetDrop,
    Join,
    SubtaskCancel {
        sync: bool,
    },
    SubtaskDrop,
    Yield,
    Pressure {
        more: bool,
    },
    Return,
    TaskCancel,
    Call {
        kind: Kind,
        sync: bool,
    },
    /// A function of the host that makes a resource.
    Make,
    ResourceDrop,
}

impl Func {
    /// All of them, in the order of the guest's table.
    pub fn all() -> Vec<Func> {
        let mut all = Vec::new();
        for ty in 0..PIPES.len() {
            all.push(Func::New { ty });
            for reads in [true, false] {
                for sync in [true, false] {
                    all.push(Func::Copy { ty, reads, sync });
                    all.push(Func::Cancel { ty, reads, sync });
                }
                all.push(Func::Drop { ty, reads });
            }
        }
        all.extend([Func::SetNew, Func::SetWait, Func::SetPoll, Func::SetDrop, Func::Join]);
        all.extend([Func::SubtaskCancel { sync: true }, Func::SubtaskCancel { sync: false }]);
        all.extend([Func::SubtaskDrop, Func::Yield, Func::Return, Func::TaskCancel]);
        all.extend([Func::Pressure { more: true }, Func::Pressure { more: false }]);
        all.extend([Func::Make, Func::ResourceDrop]);
        for kind in Kind::ALL {
            all.push(Func::Call { kind, sync: true });
            // There is no asynchronous call of what is synchronous.
            if kind.blocks() {
                all.push(Func::Call { kind, sync: false });
            }
        }
        all
    }

    pub fn shape(self) -> Shape {
        match self {
            Func::New { .. } => Shape::Wide,
            Func::Copy { ty, .. } if PIPES[ty].future => Shape::Two,
            Func::Copy { .. } => Shape::Three,
            Func::Cancel { .. } | Func::SubtaskCancel { .. } | Func::Make => Shape::One,
            Func::Drop { .. } | Func::SetDrop | Func::SubtaskDrop | Func::ResourceDrop => {
                Shape::OneOnly
            }
            Func::SetNew | Func::Yield => Shape::Give,
            Func::SetWait | Func::SetPoll => Shape::Event,
            Func::Join | Func::Return => Shape::TwoOnly,
            Func::Pressure { .. } | Func::TaskCancel => Shape::Only,
            Func::Call { sync: true, .. } => Shape::CallOnly,
            Func::Call { sync: false, .. } => Shape::Call,
        }
    }
}

/// A pipe, a set, a task or a resource by its name.
pub type Name = u32;

/// Something that can be waited for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Target {
    End { pipe: Name, reads: bool },
    Subtask(Name),
}

/// What a task does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    New {
        ty: usize,
        pipe: Name,
    },
    Copy {
        pipe: Name,
        reads: bool,
        sync: bool,
        address: u32,
        length: u32,
    },
    Cancel {
        pipe: Name,
        reads: bool,
        sync: bool,
    },
    Drop {
        pipe: Name,
        reads: bool,
    },
    SetNew(Name),
    SetWait(Name),
    SetPoll(Name),
    SetDrop(Name),
    Join(Target, Option<Name>),
    /// Calls a function as a new task, with a readable end.
    Call {
        kind: Kind,
        sync: bool,
        id: Name,
        end: Option<Name>,
    },
    SubtaskCancel {
        id: Name,
        sync: bool,
    },
    SubtaskDrop(Name),
    Yield,
    Pressure {
        more: bool,
    },
    Return(Option<Name>),
    TaskCancel,
    /// Ends its code; the result is for what is lifted synchronously.
    Exit(Option<Name>),
    /// Leaves its code to have a turn again.
    ExitYield,
    /// Leaves its code to wait.
    ExitWait(Name),
    /// Writes a number to memory.
    Store {
        address: u32,
        value: u32,
    },
    /// Writes the handle of a resource to memory.
    StoreOwn {
        address: u32,
        resource: Name,
    },
    Make(Name),
    ResourceDrop(Name),
    Trap,
    /// Calls any function with any numbers.
    Raw {
        func: Func,
        x: u32,
        y: u32,
        z: u32,
    },
}

/// What the host does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostOp {
    /// Calls a function of instance `a` or `b`.
    Start {
        id: Name,
        instance: usize,
        kind: Kind,
        end: Option<Name>,
    },
    New {
        ty: usize,
        pipe: Name,
    },
    /// Begins to read or write, or asks for what it has begun.
    Copy {
        pipe: Name,
        reads: bool,
        length: u32,
    },
    Drop {
        pipe: Name,
        reads: bool,
    },
    /// Lets a function that a guest has called have its result.
    Finish(Name),
    /// Lets a guest have a turn.
    Step,
    /// Lets guests go on until none can.
    Quiet,
}

/// How a function of the host answers a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Whether it waits until it is let go on.
    pub later: bool,
    pub end: Option<Name>,
}

/// Who does something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    Task(Name, Op),
    Host(HostOp),
    Answer(Name, Answer),
}

/// What is done, each in its order.
#[derive(Default)]
pub struct Program {
    pub tasks: HashMap<Name, VecDeque<Op>>,
    pub host: VecDeque<HostOp>,
    pub answers: HashMap<Name, Answer>,
}

impl Program {
    pub fn new(lines: &[Line]) -> Self {
        let mut program = Self::default();
        for line in lines {
            match *line {
                Line::Task(id, op) => program.tasks.entry(id).or_default().push_back(op),
                Line::Host(op) => program.host.push_back(op),
                Line::Answer(id, answer) => {
                    program.answers.insert(id, answer);
                }
            }
        }
        program
    }
}

fn way(sync: bool) -> &'static str {
    if sync { "sync" } else { "async" }
}

fn verb(reads: bool) -> &'static str {
    if reads { "read" } else { "write" }
}

/// An end that is passed on.
struct Passed(Option<Name>);

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pipe) => write!(f, "p{pipe}"),
            None => write!(f, "none"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::End { pipe, reads } => write!(f, "p{pipe} {}", verb(*reads)),
            Target::Subtask(id) => write!(f, "t{id}"),
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Op::New { ty, pipe } => write!(f, "new p{pipe} {ty}"),
            Op::Copy { pipe, reads, sync, address, length } => {
                write!(f, "copy p{pipe} {} {} {address} {length}", verb(reads), way(sync))
            }
            Op::Cancel { pipe, reads, sync } => {
                write!(f, "cancel p{pipe} {} {}", verb(reads), way(sync))
            }
            Op::Drop { pipe, reads } => write!(f, "drop p{pipe} {}", verb(reads)),
            Op::SetNew(set) => write!(f, "set-new s{set}"),
            Op::SetWait(set) => write!(f, "set-wait s{set}"),
            Op::SetPoll(set) => write!(f, "set-poll s{set}"),
            Op::SetDrop(set) => write!(f, "set-drop s{set}"),
            Op::Join(target, Some(set)) => write!(f, "join s{set} {target}"),
            Op::Join(target, None) => write!(f, "leave {target}"),
            Op::Call { kind, sync, id, end } => {
                write!(f, "call t{id} {} {} {}", kind.name(), way(sync), Passed(end))
            }
            Op::SubtaskCancel { id, sync } => write!(f, "subtask-cancel t{id} {}", way(sync)),
            Op::SubtaskDrop(id) => write!(f, "subtask-drop t{id}"),
            Op::Yield => write!(f, "yield"),
            Op::Pressure { more } => write!(f, "pressure {}", if more { "more" } else { "less" }),
            Op::Return(end) => write!(f, "return {}", Passed(end)),
            Op::TaskCancel => write!(f, "task-cancel"),
            Op::Exit(end) => write!(f, "exit {}", Passed(end)),
            Op::ExitYield => write!(f, "exit-yield"),
            Op::ExitWait(set) => write!(f, "exit-wait s{set}"),
            Op::Store { address, value } => write!(f, "store {address} {value}"),
            Op::StoreOwn { address, resource } => write!(f, "store-own {address} r{resource}"),
            Op::Make(resource) => write!(f, "make r{resource}"),
            Op::ResourceDrop(resource) => write!(f, "resource-drop r{resource}"),
            Op::Trap => write!(f, "trap"),
            Op::Raw { func, x, y, z } => {
                write!(f, "raw {} {x} {y} {z} ; {func:?}", super::guest::index(func))
            }
        }
    }
}

impl fmt::Display for HostOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            HostOp::Start { id, instance, kind, end } => {
                write!(f, "start t{id} {} {} {}", ["a", "b"][instance], kind.name(), Passed(end))
            }
            HostOp::New { ty, pipe } => write!(f, "new p{pipe} {ty}"),
            HostOp::Copy { pipe, reads, length } => {
                write!(f, "copy p{pipe} {} {length}", verb(reads))
            }
            HostOp::Drop { pipe, reads } => write!(f, "drop p{pipe} {}", verb(reads)),
            HostOp::Finish(id) => write!(f, "finish t{id}"),
            HostOp::Step => write!(f, "step"),
            HostOp::Quiet => write!(f, "quiet"),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Task(id, op) => write!(f, "t{id}: {op}"),
            Line::Host(op) => write!(f, "host: {op}"),
            Line::Answer(id, Answer { later, end }) => {
                write!(f, "t{id}: answer {} {}", if *later { "later" } else { "now" }, Passed(*end))
            }
        }
    }
}

/// Reads the words of a line.
struct Words<'a>(std::str::SplitAsciiWhitespace<'a>);

impl<'a> Words<'a> {
    fn next(&mut self) -> Result<&'a str, String> {
        self.0.next().ok_or_else(|| "a word is missing".into())
    }

    fn number(&mut self) -> Result<u32, String> {
        let word = self.next()?;
        word.parse().map_err(|_| format!("expected a number, found '{word}'"))
    }

    fn ty(&mut self) -> Result<usize, String> {
        let ty = self.number()? as usize;
        if ty < PIPES.len() { Ok(ty) } else { Err(format!("there is no type {ty}")) }
    }

    fn name(&mut self, letter: char) -> Result<Name, String> {
        named(self.next()?, letter)
    }

    fn passed(&mut self) -> Result<Option<Name>, String> {
        match self.next()? {
            "none" => Ok(None),
            word => named(word, 'p').map(Some),
        }
    }

    /// Which of two words it is.
    fn either(&mut self, yes: &str, no: &str) -> Result<bool, String> {
        match self.next()? {
            word if word == yes => Ok(true),
            word if word == no => Ok(false),
            word => Err(format!("expected {yes} or {no}, found '{word}'")),
        }
    }

    fn reads(&mut self) -> Result<bool, String> {
        self.either("read", "write")
    }

    fn sync(&mut self) -> Result<bool, String> {
        self.either("sync", "async")
    }

    fn kind(&mut self) -> Result<Kind, String> {
        let word = self.next()?;
        let found = Kind::ALL.into_iter().find(|kind| kind.name() == word);
        found.ok_or_else(|| format!("unknown kind of function '{word}'"))
    }

    fn target(&mut self) -> Result<Target, String> {
        let word = self.next()?;
        match named(word, 't') {
            Ok(id) => Ok(Target::Subtask(id)),
            Err(_) => Ok(Target::End { pipe: named(word, 'p')?, reads: self.reads()? }),
        }
    }
}

fn named(word: &str, letter: char) -> Result<Name, String> {
    let name = word.strip_prefix(letter).and_then(|name| name.parse().ok());
    name.ok_or_else(|| format!("expected a name {letter}N, found '{word}'"))
}

/// Reads a program. What stands behind a semicolon says nothing.
///
/// # Errors
/// What a line is not.
pub fn parse(text: &str) -> Result<Vec<Line>, String> {
    let lines = text.lines().map(|line| line.split(';').next().unwrap_or_default().trim());
    let said = lines.filter(|line| !line.is_empty());
    said.map(|line| parse_line(line).map_err(|error| format!("{line}: {error}"))).collect()
}

fn parse_line(line: &str) -> Result<Line, String> {
    let (who, what) = line.split_once(':').ok_or("expected who does it")?;
    let mut words = Words(what.split_ascii_whitespace());
    let line = match who {
        "host" => Line::Host(host_op(&mut words)?),
        _ => {
            let id = named(who, 't')?;
            match words.next()? {
                "answer" => {
                    let later = words.either("later", "now")?;
                    Line::Answer(id, Answer { later, end: words.passed()? })
                }
                verb => Line::Task(id, op(verb, &mut words)?),
            }
        }
    };
    match words.0.next() {
        Some(word) => Err(format!("'{word}' is one word too many")),
        None => Ok(line),
    }
}

fn host_op(words: &mut Words<'_>) -> Result<HostOp, String> {
    Ok(match words.next()? {
        "start" => HostOp::Start {
            id: words.name('t')?,
            instance: usize::from(!words.either("a", "b")?),
            kind: words.kind()?,
            end: words.passed()?,
        },
        "new" => HostOp::New { pipe: words.name('p')?, ty: words.ty()? },
        "copy" => {
            HostOp::Copy { pipe: words.name('p')?, reads: words.reads()?, length: words.number()? }
        }
        "drop" => HostOp::Drop { pipe: words.name('p')?, reads: words.reads()? },
        "finish" => HostOp::Finish(words.name('t')?),
        "step" => HostOp::Step,
        "quiet" => HostOp::Quiet,
        word => return Err(format!("unknown operation '{word}'")),
    })
}

fn op(verb: &str, words: &mut Words<'_>) -> Result<Op, String> {
    Ok(match verb {
        "new" => Op::New { pipe: words.name('p')?, ty: words.ty()? },
        "copy" => Op::Copy {
            pipe: words.name('p')?,
            reads: words.reads()?,
            sync: words.sync()?,
            address: words.number()?,
            length: words.number()?,
        },
        "cancel" => {
            Op::Cancel { pipe: words.name('p')?, reads: words.reads()?, sync: words.sync()? }
        }
        "drop" => Op::Drop { pipe: words.name('p')?, reads: words.reads()? },
        "set-new" => Op::SetNew(words.name('s')?),
        "set-wait" => Op::SetWait(words.name('s')?),
        "set-poll" => Op::SetPoll(words.name('s')?),
        "set-drop" => Op::SetDrop(words.name('s')?),
        "join" => {
            let set = words.name('s')?;
            Op::Join(words.target()?, Some(set))
        }
        "leave" => Op::Join(words.target()?, None),
        "call" => Op::Call {
            id: words.name('t')?,
            kind: words.kind()?,
            sync: words.sync()?,
            end: words.passed()?,
        },
        "subtask-cancel" => Op::SubtaskCancel { id: words.name('t')?, sync: words.sync()? },
        "subtask-drop" => Op::SubtaskDrop(words.name('t')?),
        "yield" => Op::Yield,
        "pressure" => Op::Pressure { more: words.either("more", "less")? },
        "return" => Op::Return(words.passed()?),
        "task-cancel" => Op::TaskCancel,
        "exit" => Op::Exit(words.passed()?),
        "exit-yield" => Op::ExitYield,
        "exit-wait" => Op::ExitWait(words.name('s')?),
        "store" => Op::Store { address: words.number()?, value: words.number()? },
        "store-own" => Op::StoreOwn { address: words.number()?, resource: words.name('r')? },
        "make" => Op::Make(words.name('r')?),
        "resource-drop" => Op::ResourceDrop(words.name('r')?),
        "trap" => Op::Trap,
        "raw" => {
            let at = words.number()? as usize;
            let func = Func::all().get(at).copied().ok_or("there is no such function")?;
            Op::Raw { func, x: words.number()?, y: words.number()?, z: words.number()? }
        }
        word => return Err(format!("unknown operation '{word}'")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let text = "host: start t0 b st p1\nhost: new p1 3\nhost: copy p1 write 4\n\
            host: drop p1 read\nhost: finish t7\nhost: step\nhost: quiet\n\
            t0: new p2 1\nt0: copy p2 read sync 8 3\nt0: cancel p2 write async\n\
            t0: drop p2 read\nt0: set-new s0\nt0: set-wait s0\nt0: set-poll s0\n\
            t0: set-drop s0\nt0: join s0 p2 read\nt0: join s0 t3\nt0: leave p2 write\n\
            t0: call t3 cb async p2\nt3: answer later none\nt0: subtask-cancel t3 sync\n\
            t0: subtask-drop t3\nt0: yield\nt0: pressure more\nt0: pressure less\n\
            t0: return p2\nt0: task-cancel\nt0: exit none\nt0: exit-yield\n\
            t0: exit-wait s0\nt0: store 8 77\nt0: make r5\n\
            t0: store-own 8 r5\nt0: resource-drop r5\nt0: trap\n";
        let lines = parse(text).expect("it is a program");
        let again: String = lines.iter().map(|line| format!("{line}\n")).collect();
        assert_eq!(again, text);
        for func in Func::all() {
            let line = Line::Task(1, Op::Raw { func, x: 1, y: 2, z: 3 });
            assert_eq!(parse(&line.to_string()), Ok(vec![line]));
        }
        assert!(parse("t0: yield now").is_err_and(|error| error.contains("too many")));
    }
}

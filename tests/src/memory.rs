//! What a running process holds in its memory, read as a debugger reads it.

use crate::canary::Canary;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

const PAGE: usize = 4096;
/// How many pages are read at a time.
const STEP: usize = 512;
/// Of an entry of `/proc/PID/pagemap`: the page is there, in memory or swapped out.
const THERE: u64 = 0b11 << 62;

/// A part of a process's memory that it can write to.
struct Part {
    name: String,
    begins: u64,
    /// What was ever written to, in one piece as far as it hangs together.
    runs: Vec<Vec<u8>>,
}

/// Everything that a process can write to, at one moment.
pub struct Memory(Vec<Part>);

impl Memory {
    /// Reads the memory of a process. Root can; another user can where the process lets them (a build for tests that
    /// was told so), and where Yama lets a parent look at its child.
    ///
    /// # Panics
    /// When it cannot be read: a search that saw nothing must not look like success.
    #[track_caller]
    pub fn of(pid: u32) -> Self {
        let file = File::open(format!("/proc/{pid}/mem")).unwrap_or_else(|error| {
            panic!(
                "the memory of process {pid} can only be searched as root, or in a build with `fault-injection` and \
                 `automation`: {error}"
            )
        });
        let pages = File::open(format!("/proc/{pid}/pagemap")).unwrap();
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
        let parts: Vec<_> = maps
            .lines()
            .filter_map(|line| {
                let mut fields = line.split_ascii_whitespace();
                let (begins, ends) = fields.next()?.split_once('-')?;
                let begins = u64::from_str_radix(begins, 16).ok()?;
                let ends = u64::from_str_radix(ends, 16).ok()?;
                let can_be_written = fields.next()?.starts_with("rw");
                let name = fields.nth(3).unwrap_or("anonymous").to_owned();
                can_be_written.then(|| Part {
                    name,
                    begins,
                    runs: read(&file, &pages, begins, ends),
                })
            })
            .collect();
        let read: usize = parts.iter().flat_map(|part| &part.runs).map(Vec::len).sum();
        assert!(read > 10_000, "only {read} bytes of process {pid} could be read");
        Self(parts)
    }

    /// Which secrets it holds, in which form and how often, and where.
    pub fn search(&self, canaries: &[Canary]) -> BTreeMap<String, String> {
        let mut wanted: Vec<(usize, &'static str, Vec<u8>)> = Vec::new();
        for (at, canary) in canaries.iter().enumerate() {
            wanted.extend(canary.pieces().into_iter().map(|(form, piece)| (at, form, piece)));
        }
        // Which of them begin with two bytes: a test build is slow at everything else.
        let mut by_beginning: Vec<Vec<usize>> = vec![Vec::new(); 1 << 16];
        for (at, (_, _, piece)) in wanted.iter().enumerate() {
            by_beginning[usize::from(piece[0]) << 8 | usize::from(piece[1])].push(at);
        }
        let mut found: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        for part in &self.0 {
            for bytes in &part.runs {
                for at in 0..bytes.len() - 1 {
                    let beginning = usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1]);
                    for candidate in &by_beginning[beginning] {
                        let (canary, form, piece) = &wanted[*candidate];
                        if bytes[at..].starts_with(piece) {
                            let place = format!("{form} in {} {:x}", part.name, part.begins);
                            let places = found.entry(canaries[*canary].name().to_owned()).or_default();
                            *places.entry(place).or_default() += 1;
                        }
                    }
                }
            }
        }
        let shown = found.into_iter().map(|(name, places)| {
            let mut text = String::new();
            for (place, count) in places {
                let _ = write!(text, "{count} × {place}; ");
            }
            (name, text)
        });
        shown.collect()
    }
}

/// The pages between these addresses that are not all zeros: a program may reserve a hundred times what it uses.
fn read(file: &File, pages: &File, begins: u64, ends: u64) -> Vec<Vec<u8>> {
    let mut runs: Vec<Vec<u8>> = Vec::new();
    let mut goes_on = false;
    let mut at = begins;
    while at < ends {
        let count = STEP.min(usize::try_from((ends - at) / PAGE as u64).unwrap());
        let mut entries = vec![0; count * 8];
        pages.read_exact_at(&mut entries, at / PAGE as u64 * 8).unwrap();
        let is_there = |entry: &[u8]| u64::from_le_bytes(entry.try_into().unwrap()) & THERE != 0;
        let mut bytes = vec![0; count * PAGE];
        // What the kernel keeps there for itself cannot be read.
        if !entries.chunks_exact(8).any(is_there) || file.read_exact_at(&mut bytes, at).is_err() {
            bytes.clear();
            goes_on = false;
        }
        for page in bytes.chunks_exact(PAGE) {
            let is_used = *page != [0; PAGE];
            match runs.last_mut().filter(|_| goes_on) {
                Some(run) if is_used => run.extend_from_slice(page),
                _ if is_used => runs.push(page.to_vec()),
                _ => {}
            }
            goes_on = is_used;
        }
        at += (count * PAGE) as u64;
    }
    runs
}

/// Waits until a process holds none of these any more, at most `timeout`, and gives its memory at that moment.
///
/// # Panics
/// When it still holds one.
#[track_caller]
pub fn holds_none_within(pid: u32, canaries: &[Canary], timeout: Duration) -> Memory {
    let begun = Instant::now();
    loop {
        let memory = Memory::of(pid);
        let found = memory.search(canaries);
        if found.is_empty() {
            return memory;
        }
        assert!(
            begun.elapsed() < timeout,
            "{timeout:?} after the lock the memory of process {pid} still holds {found:#?}"
        );
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Asserts that a search of this process finds something that is there: one that cannot see would find nothing.
///
/// # Panics
/// When it does not.
#[track_caller]
pub fn holds(pid: u32, canary: &Canary) {
    let found = Memory::of(pid).search(std::slice::from_ref(canary));
    assert!(!found.is_empty(), "the search does not see {}", canary.name());
}

/// The variable that tells a build for tests to leave its memory open to its own user.
pub const READABLE: &str = "TOKENRY_TEST_READABLE";

/// Whether the memory of others can be read whatever they say.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

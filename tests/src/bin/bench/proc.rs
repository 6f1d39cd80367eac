//! What `/proc` says of processes.

use std::fs;

/// A process's share of memory (PSS) in MiB. 0 for one that has just ended.
pub(crate) fn pss(id: u32) -> f64 {
    // The engine keeps other programs of its user out; the system's administrator may look.
    match fs::read_to_string(format!("/proc/{id}/smaps_rollup")) {
        Ok(text) => number(&text, "Pss:") as f64 / 1024.0,
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            panic!("only root may look at the engine's memory")
        }
        Err(_) => 0.0,
    }
}

/// How long a process's first thread has been on a processor, in milliseconds.
pub(crate) fn busy(id: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{id}/task/{id}/schedstat")).unwrap();
    let nanoseconds: f64 = text.split(' ').next().and_then(|word| word.parse().ok()).unwrap();
    nanoseconds / 1e6
}

/// What a process is called, in 15 letters at most.
pub(crate) fn name(id: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

/// A process and everything it started, and so on; not what has ended and was not asked about yet.
pub(crate) fn children(id: u32) -> Vec<u32> {
    let all: Vec<(u32, u32)> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| {
            let id = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
            if status.contains("\nState:\tZ") {
                return None;
            }
            let parent = number(&status, "PPid:").try_into().ok()?;
            Some((id, parent))
        })
        .collect();
    let mut family = vec![id];
    let mut at = 0;
    while let Some(&parent) = family.get(at) {
        family.extend(all.iter().filter(|(_, its)| *its == parent).map(|(id, _)| *id));
        at += 1;
    }
    family
}

/// The number in the line that starts with this name.
pub(crate) fn number(text: &str, name: &str) -> u64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap_or_else(|| panic!("no {name}"));
    let first = line.split_whitespace().next().and_then(|word| word.parse().ok());
    first.expect("a number")
}

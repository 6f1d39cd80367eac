//! Several hosts in one file, taken back in the order of their setup.

use super::*;

#[test]
fn hosts_are_taken_back_in_the_order_of_their_setup_byte_for_byte() {
    for (tool, file, hosts, texts) in [
        (
            "git",
            ".gitconfig",
            ["https://one.example", "https://two.example"],
            ["", "[user]\n\tname = x", "[user]\n\tname = x\n"],
        ),
        (
            "cargo",
            ".cargo/config.toml",
            [
                "sparse+https://cr.alpha.com/index/",
                "sparse+https://cr.beta.com/index/",
            ],
            ["", "[net]\nretry = 1", "# mine\n[net]\nretry = 1\n\n"],
        ),
        (
            "docker",
            ".docker/config.json",
            ["one.example", "two.example"],
            ["", "{ \"a\": 1 }", "{\n\t\"auths\": {}\n}\n"],
        ),
    ] {
        for text in [None, Some(texts[0]), Some(texts[1]), Some(texts[2])] {
            let home = Home::new();
            // The setup of git reads the configuration with git itself.
            let path = std::env::var_os("PATH").unwrap();
            let mut found = std::env::split_paths(&path).map(|folder| folder.join("git"));
            let git = found.find(|git| git.exists()).unwrap();
            symlink(git, home.path("bin/git")).unwrap();
            let path = home.path(file);
            if let Some(text) = text {
                home.write(file, text);
            }
            for host in hosts {
                home.set_up(tool, host).unwrap();
            }
            for host in hosts {
                home.undo(tool, Some(host)).unwrap();
            }
            let left = path.exists().then(|| read(&path));
            assert_eq!(left.as_deref(), text, "{tool}");
        }
    }
}

#[test]
fn what_others_wrote_into_a_file_that_tokenry_created_stays() {
    let home = Home::new();
    home.set_up("docker", "one.example").unwrap();
    let path = home.docker();
    fs::write(&path, read(&path).replacen('{', "{\n\t\"mine\": 1,", 1)).unwrap();
    home.undo("docker", None).unwrap();
    assert!(read(&path).contains("mine"));
}

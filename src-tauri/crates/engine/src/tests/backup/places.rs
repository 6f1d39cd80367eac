//! Where a backup is written: folders that will not do, files in the way, and the daily copy.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_in_the_way_or_a_folder_that_will_not_do_is_named_and_left_as_it_is() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let root = world.folder.path().join("places");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("there"), "mine").unwrap();
    fs::create_dir(root.join("folder")).unwrap();
    fs::create_dir(root.join("open")).unwrap();
    fs::set_permissions(root.join("open"), fs::Permissions::from_mode(0o777)).unwrap();
    std::os::unix::fs::symlink(root.join("nowhere"), root.join("link")).unwrap();
    for (path, what) in [
        ("there", "exists"),
        ("folder", "not a file"),
        ("link", "is a link"),
        ("missing/x", "no folder"),
        ("there/x", "not a folder"),
        ("open/x", "every user"),
    ] {
        let error = back_up(&engine, new(&root.join(path))).await.unwrap_err();
        assert!(error.contains(what), "{path}: {error}");
    }
    let link = back_up(
        &engine,
        NewBackup {
            replace: true,
            ..new(&root.join("link"))
        },
    )
    .await
    .unwrap_err();
    assert!(link.contains("is a link"), "{link}");
    let relative = back_up(&engine, new(Path::new("x.age"))).await.unwrap_err();
    assert!(relative.contains("absolute"), "{relative}");
    assert_eq!(files_in(&root), ["folder", "link", "open", "there"]);
    assert_eq!(fs::read_to_string(root.join("there")).unwrap(), "mine");
    // Only with a yes is a file replaced.
    back_up(
        &engine,
        NewBackup {
            replace: true,
            ..new(&root.join("there"))
        },
    )
    .await
    .unwrap();
    read(&engine, &root.join("there"), identity()).await.unwrap();
    assert_eq!(files_in(&root), ["folder", "link", "open", "there"]);
    fs::set_permissions(root.join("open"), fs::Permissions::from_mode(0o1777)).unwrap();
    back_up(&engine, new(&root.join("open/x"))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_a_killed_engine_left_is_removed_by_the_next_backup() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let folder = world.folder.path().join("backups");
    fs::create_dir(&folder).unwrap();
    let left = folder.join(".tokenry-0123456789abcdef.new");
    for name in [
        ".tokenry-0123456789abcdef.new",
        ".tokenry-0123.new",
        ".tokenry-0123456789abcdeg.new",
    ] {
        fs::write(folder.join(name), "half").unwrap();
    }
    back_up(&engine, new(&folder.join("backup.age"))).await.unwrap();
    assert!(!left.exists());
    assert_eq!(
        files_in(&folder),
        [".tokenry-0123.new", ".tokenry-0123456789abcdeg.new", "backup.age"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daily_backup_is_made_when_the_last_is_a_day_old_and_its_passphrase_is_never_shown() {
    let (world, engine) = World::connected(Behaviour::default()).await;
    let folder = world.folder.path().join("copies");
    fs::create_dir(&folder).unwrap();
    let off = engine.daily_backup(&ui()).await.unwrap();
    assert!(!off.enabled);
    let change = crate::DailyBackupChange {
        enabled: Some(true),
        folder: Some(folder.clone()),
        recipients: Some(vec![RECIPIENT.to_owned()]),
        ..Default::default()
    };
    let program_change = crate::DailyBackupChange {
        enabled: Some(false),
        ..Default::default()
    };
    engine.change_daily_backup(&ui(), change).await.unwrap();
    assert!(
        engine
            .change_daily_backup(&program(), program_change)
            .await
            .is_err()
    );
    let made = until("the first copy", async || {
        engine.daily_backup(&ui()).await.unwrap().file
    })
    .await;
    read(&engine, &made, identity()).await.unwrap();
    assert_eq!(files_in(&folder).len(), 1);
    poke(&engine, NAME).await;
    assert_eq!(files_in(&folder).len(), 1, "one a day");
    world.pass(24 * 3600 + 1);
    poke(&engine, NAME).await;
    until("the next copy", async || {
        (files_in(&folder).len() == 2).then_some(())
    })
    .await;
    // A failure is told once a day.
    until("its record", async || {
        (engine.daily_backup(&ui()).await.unwrap().file.unwrap() != made).then_some(())
    })
    .await;
    fs::rename(&folder, folder.with_file_name("moved")).unwrap();
    for _ in 0..3 {
        world.pass(24 * 3600 / 3 + 1);
        poke(&engine, NAME).await;
        world.pass(3601);
        poke(&engine, NAME).await;
    }
    let failure = until("the failure", async || {
        engine.daily_backup(&ui()).await.unwrap().failure
    })
    .await;
    assert!(failure.message.contains("copies"), "{}", failure.message);
    until("the failure in the status", async || {
        (engine.status().daily_backup_failure.as_ref() == Some(&failure.message)).then_some(())
    })
    .await;
    let told = async || {
        let log = engine.events(&ui(), None, 100).await.unwrap().0;
        let failed = |event: &tokenry_core::Event| {
            event.kind == EventKind::BackedUp && event.outcome == Outcome::Failed
        };
        log.iter().filter(|event| failed(event)).count()
    };
    assert_eq!(told().await, 1);
    fs::rename(folder.with_file_name("moved"), &folder).unwrap();
    world.pass(3601);
    poke(&engine, NAME).await;
    until("it works again", async || {
        engine.status().daily_backup_failure.is_none().then_some(())
    })
    .await;
    assert_eq!(engine.daily_backup(&ui()).await.unwrap().failure, None);
}

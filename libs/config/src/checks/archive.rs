//! What the user should know about archives: flags of one that is off, and one that is none.

use crate::flag::Flag;
use crate::loaded::Loaded;
use crate::source::Origin;
use crate::tables::catalog;

/// The groups of flags of archives.
const ARCHIVES: [&str; 2] = ["cassandra-archive", "es-archive"];

/// One sentence for each flag that is set and changes nothing, and for an archive that keeps nothing longer.
pub(crate) fn idle_archives(loaded: &Loaded) -> Vec<String> {
    let mut idle: Vec<String> = ARCHIVES.iter().flat_map(|archive| flags_of_none(loaded, archive)).collect();
    idle.extend(same_keyspace(loaded));
    idle
}

fn is_active(loaded: &Loaded, flag: &str) -> bool {
    catalog().find(flag).is_some_and(|(table, _)| table.is_active(loaded.component, &loaded.storage))
}

/// Flags of an archive that is off. What says the same as for the others, as all of what `config print` wrote does, is no mistake.
fn flags_of_none(loaded: &Loaded, archive: &str) -> Vec<String> {
    let enabled = format!("{archive}.enabled");
    let Some((table, _)) = catalog().find(&enabled).filter(|_| is_active(loaded, &enabled) && !loaded.get_bool(&enabled)) else {
        return Vec::new();
    };
    let differs = |flag: &&Flag| {
        let other = flag.fallback.as_ref().and_then(|name| catalog().find(name));
        other.is_some_and(|(_, other)| loaded.typed(flag) != loaded.typed(other))
    };
    let set = table.flags.iter().filter(|flag| loaded.origin(flag) != Origin::Default).filter(differs);
    let why = format!(" has no effect: it needs {enabled}=true");
    set.map(|flag| loaded.origin(flag).sentence(&flag.name, &why)).collect()
}

/// An archive of Cassandra in the keyspace of the others.
fn same_keyspace(loaded: &Loaded) -> Option<String> {
    if !is_active(loaded, "cassandra-archive.enabled") || !loaded.get_bool("cassandra-archive.enabled") {
        return None;
    }
    let servers = loaded.get_list("cassandra.servers") == loaded.get_list("cassandra-archive.servers");
    let keyspace = loaded.get_string("cassandra.keyspace");
    (servers && keyspace == loaded.get_string("cassandra-archive.keyspace")).then(|| {
        format!(
            "the keyspace of the archive, cassandra-archive.keyspace, is {keyspace} too: archived traces expire there with the \
             others; set another"
        )
    })
}

//! Names of services, peers, series and links as small numbers, each list bounded.

use crate::document::{Connection, LinkKey, SeriesKey};
use hashbrown::HashTable;
use std::borrow::Cow;
use std::hash::BuildHasher;

/// What stands for services above the bound; Jaeger's name for it in its own metrics.
const OTHER_SERVICES: &[u8] = b"other-services";
/// What stands for operations above the bound.
const OTHER_OPERATIONS: &[u8] = b"other-operations";
/// What stands for peers above the bound.
const OTHER_PEERS: &[u8] = b"other-peers";

/// A list of texts.
#[derive(Default)]
struct Texts {
    texts: Vec<Box<[u8]>>,
    places: HashTable<u32>,
}

impl Texts {
    fn get(&self, place: u32) -> String {
        self.text(place).into_owned()
    }

    fn text(&self, place: u32) -> Cow<'_, str> {
        self.texts.get(place as usize).map(|text| String::from_utf8_lossy(text)).unwrap_or_default()
    }

    /// The place of a text; that of `other` when it is new and the list full.
    #[inline]
    fn place(&mut self, text: &[u8], most: usize, other: &[u8], hasher: &foldhash::fast::RandomState) -> (u32, bool) {
        let texts = &self.texts;
        if let Some(place) = self.places.find(hasher.hash_one(text), |place| &*texts[*place as usize] == text) {
            return (*place, false);
        }
        let (text, over) = if self.texts.len() + 1 >= most { (other, true) } else { (text, false) };
        let (texts, hash) = (&self.texts, hasher.hash_one(text));
        if let Some(place) = self.places.find(hash, |place| &*texts[*place as usize] == text) {
            return (*place, over);
        }
        let place = self.texts.len() as u32;
        self.texts.push(text.into());
        let texts = &self.texts;
        self.places.insert_unique(hash, place, |place| hasher.hash_one(&*texts[*place as usize]));
        (place, over)
    }
}

/// Service, operation, kind and status as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Series {
    service: u16,
    operation: u32,
    kind: u8,
    status: u8,
}

/// Parent, child and connection as numbers. The child is a service or a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Link {
    parent: u16,
    child: u32,
    connection: Connection,
}

/// As [`SeriesKey`], borrowed.
#[derive(Debug, Clone)]
pub(crate) struct SeriesNames<'a> {
    pub service: Cow<'a, str>,
    pub operation: Cow<'a, str>,
    pub kind: u8,
    pub status: u8,
}

/// As [`LinkKey`], borrowed.
#[derive(Debug, Clone)]
pub(crate) struct LinkNames<'a> {
    pub parent: Cow<'a, str>,
    pub child: Cow<'a, str>,
    pub connection: Connection,
    /// The child sent no spans: figures are the caller's.
    pub is_peer: bool,
}

/// Whom a link leads to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Child<'a> {
    /// A service by its number.
    Service(u16),
    /// A peer by its name.
    Peer(&'a [u8]),
}

/// All the names that a process has counted; none is forgotten.
pub(crate) struct Names {
    hasher: foldhash::fast::RandomState,
    most: usize,
    services: Texts,
    operations: Texts,
    peers: Texts,
    series: Rows<Series>,
    links: Rows<Link>,
    /// Spans and calls that were counted under another's name.
    pub overflowed: u64,
}

/// A list of keys.
struct Rows<K> {
    keys: Vec<K>,
    places: HashTable<u32>,
}

impl<K: Copy + Eq + std::hash::Hash> Rows<K> {
    #[inline]
    fn find(&self, key: K, hasher: &foldhash::fast::RandomState) -> Option<u32> {
        self.places.find(hasher.hash_one(key), |place| self.keys[*place as usize] == key).copied()
    }

    fn add(&mut self, key: K, hasher: &foldhash::fast::RandomState) -> u32 {
        let place = self.keys.len() as u32;
        self.keys.push(key);
        let keys = &self.keys;
        self.places.insert_unique(hasher.hash_one(key), place, |place| hasher.hash_one(keys[*place as usize]));
        place
    }
}

/// Peers have the numbers from here on in a link.
const PEERS: u32 = 1 << 31;

impl Names {
    /// At most `most` series, as many links and as many names of each sort.
    pub fn new(most: usize) -> Self {
        Self {
            hasher: foldhash::fast::RandomState::default(),
            most: most.max(4),
            services: Texts::default(),
            operations: Texts::default(),
            peers: Texts::default(),
            series: Rows { keys: Vec::new(), places: HashTable::new() },
            links: Rows { keys: Vec::new(), places: HashTable::new() },
            overflowed: 0,
        }
    }

    pub fn service(&mut self, name: &[u8]) -> u16 {
        let most = self.most.min(super::window::MOST_SERVICES);
        self.services.place(name, most, OTHER_SERVICES, &self.hasher).0 as u16
    }

    /// The number of a series. One that is new when there are `most` becomes the service's "other-operations", and if that is new too,
    /// the one of "other-services".
    #[inline]
    pub fn series(&mut self, service: u16, operation: &[u8], kind: u8, status: u8) -> u32 {
        let (place, over) = self.operations.place(operation, self.most, OTHER_OPERATIONS, &self.hasher);
        let key = Series { service, operation: place, kind, status };
        if let Some(place) = self.series.find(key, &self.hasher) {
            self.overflowed += u64::from(over);
            return place;
        }
        if !over && self.series.keys.len() < self.most {
            return self.series.add(key, &self.hasher);
        }
        self.overflowed += 1;
        let (other, _) = self.operations.place(OTHER_OPERATIONS, usize::MAX, OTHER_OPERATIONS, &self.hasher);
        let key = Series { operation: other, ..key };
        if let Some(place) = self.series.find(key, &self.hasher) {
            return place;
        }
        // One for each service, kind and status, up to as many again; then one for each kind and status.
        if self.series.keys.len() < 2 * self.most {
            return self.series.add(key, &self.hasher);
        }
        let (service, _) = self.services.place(OTHER_SERVICES, usize::MAX, OTHER_SERVICES, &self.hasher);
        let key = Series { service: service as u16, ..key };
        self.series.find(key, &self.hasher).unwrap_or_else(|| self.series.add(key, &self.hasher))
    }

    /// The number of a link; links above the bound lead to "other-peers".
    pub fn link(&mut self, parent: u16, child: Child<'_>, connection: Connection) -> u32 {
        let child = match child {
            Child::Service(service) => u32::from(service),
            Child::Peer(name) => {
                let (peer, over) = self.peers.place(name, self.most, OTHER_PEERS, &self.hasher);
                self.overflowed += u64::from(over);
                PEERS | peer
            }
        };
        let key = Link { parent, child, connection };
        if let Some(place) = self.links.find(key, &self.hasher) {
            return place;
        }
        if self.links.keys.len() < self.most {
            return self.links.add(key, &self.hasher);
        }
        self.overflowed += 1;
        let (other, _) = self.peers.place(OTHER_PEERS, usize::MAX, OTHER_PEERS, &self.hasher);
        let (parent, _) = self.services.place(OTHER_SERVICES, usize::MAX, OTHER_SERVICES, &self.hasher);
        let key = Link { parent: parent as u16, child: PEERS | other, connection: Connection::Peer };
        self.links.find(key, &self.hasher).unwrap_or_else(|| self.links.add(key, &self.hasher))
    }

    pub fn series_key(&self, place: u32) -> SeriesKey {
        let Series { service, operation, kind, status } = self.series.keys[place as usize];
        SeriesKey { service: self.services.get(service.into()), operation: self.operations.get(operation), kind, status }
    }

    pub fn link_key(&self, place: u32) -> LinkKey {
        let Link { parent, child, connection } = self.links.keys[place as usize];
        let child = if child & PEERS == 0 { self.services.get(child) } else { self.peers.get(child & !PEERS) };
        LinkKey { parent: self.services.get(parent.into()), child, connection }
    }

    pub fn series_names(&self, place: u32) -> SeriesNames<'_> {
        let Series { service, operation, kind, status } = self.series.keys[place as usize];
        SeriesNames { service: self.services.text(service.into()), operation: self.operations.text(operation), kind, status }
    }

    pub fn link_names(&self, place: u32) -> LinkNames<'_> {
        let Link { parent, child, connection } = self.links.keys[place as usize];
        let is_peer = child & PEERS != 0;
        let child = if is_peer { self.peers.text(child & !PEERS) } else { self.services.text(child) };
        LinkNames { parent: self.services.text(parent.into()), child, connection, is_peer }
    }

    /// Series and links.
    pub fn len(&self) -> (usize, usize) {
        (self.series.keys.len(), self.links.keys.len())
    }
}

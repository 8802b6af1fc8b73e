//! Adaptive sampling as a whole, on a clock of its own: several collectors that share a store and take turns to lead, and clients
//! that ask for their strategy once a minute and sample by it. All randomness comes from a seed.
#![allow(clippy::unwrap_used, reason = "a test")]

mod given;
mod world;

use skua_sampling::adaptive::Options;
use world::{Client, World};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const SEEDS: std::ops::Range<u64> = 1..5;

/// Services of very different rates, two clients each.
fn clients(rates: &[(&'static str, f64)]) -> Vec<Client> {
    rates
        .iter()
        .flat_map(|&(service, rate)| [Client::new(service, "op", rate / 2.0), Client::new(service, "op", rate / 2.0)])
        .collect()
}

/// The measured rate is the target, within the tolerance in which probabilities stay as they are.
fn near_target(what: &str, rate: f64, options: &Options) {
    let off = (rate - options.target_samples_per_second).abs() / options.target_samples_per_second;
    assert!(off < options.delta_tolerance, "{what}: {rate:.3} sampled traces a second");
}

/// From 0.1 to 50,000 traces a second: after two hours each operation gives the target for the whole next hour, and one that
/// has fewer traces than the target gives all of them.
#[tokio::test]
async fn every_operation_comes_to_the_target() {
    let options = Options::default();
    for seed in SEEDS {
        let rates = [("rare", 0.1), ("slow", 3.0), ("middling", 10.0), ("busy", 1000.0), ("crowded", 50_000.0)];
        let mut world = World::new(seed, 3, options.clone(), clients(&rates)).await;
        world.run(2 * HOUR).await;
        let measured = world.measure(HOUR).await;
        for (service, _) in &rates[1..] {
            near_target(&format!("seed {seed}, {service}"), measured[service], &options);
        }
        let all = measured["rare"];
        assert!(world.probability("rare", "op") == 1.0 && (0.07..0.13).contains(&all), "seed {seed}: {all}");
    }
}

/// A hundred times the traffic, and back: both times the rate of samples comes back to the target.
#[tokio::test]
async fn a_step_is_followed() {
    let options = Options::default();
    for seed in SEEDS {
        let mut world = World::new(seed, 3, options.clone(), clients(&[("shop", 20.0), ("still", 20.0)])).await;
        world.run(2 * HOUR).await;
        near_target(&format!("seed {seed}, before"), world.measure(HOUR / 2).await["shop"], &options);
        world.set_rate("shop", 2000.0);
        world.run(MINUTE).await;
        assert!(world.measure(MINUTE).await["shop"] > 10.0, "seed {seed}: nobody can know yet");
        world.run(HOUR / 2).await;
        near_target(&format!("seed {seed}, up"), world.measure(HOUR / 2).await["shop"], &options);
        world.set_rate("shop", 20.0);
        world.run(HOUR).await;
        let measured = world.measure(HOUR / 2).await;
        near_target(&format!("seed {seed}, down"), measured["shop"], &options);
        near_target(&format!("seed {seed}, the other"), measured["still"], &options);
    }
}

/// All collectors serve what the leader calculates, the leader too. When it is gone another takes over from the stored
/// probabilities: nothing is sampled with the initial one again.
#[tokio::test]
async fn a_new_leader_goes_on() {
    let options = Options::default();
    for seed in SEEDS {
        let mut world = World::new(seed, 3, options.clone(), clients(&[("busy", 5000.0)])).await;
        world.run(HOUR).await;
        let served = world.served("busy", "op");
        assert!(served.iter().all(|p| *p == served[0] && *p < 0.001), "seed {seed}: {served:?}");
        let leader = world.leader().unwrap();
        world.kill(leader);
        let mut highest = 0.0f64;
        for _ in 0..HOUR {
            world.run(1).await;
            highest = highest.max(world.probability("busy", "op"));
        }
        assert!(world.leader().is_some_and(|new| new != leader), "seed {seed}");
        assert!(highest < 0.000_8, "seed {seed}: {highest}");
        near_target(&format!("seed {seed}"), world.measure(HOUR / 2).await["busy"], &options);
    }
}

/// Other options: three buckets averaged, a higher target, a shorter interval without a delay.
#[tokio::test]
async fn options_are_obeyed() {
    let options = Options {
        target_samples_per_second: 5.0,
        buckets_for_calculation: 3,
        calculation_interval: std::time::Duration::from_secs(30),
        delay: std::time::Duration::from_secs(30),
        initial_sampling_probability: 0.01,
        min_sampling_probability: 0.001,
        ..Options::default()
    };
    for seed in SEEDS {
        let rates = [("slow", 50.0), ("busy", 3000.0), ("crowded", 50_000.0)];
        let mut world = World::new(seed, 2, options.clone(), clients(&rates)).await;
        world.run(2 * HOUR).await;
        let measured = world.measure(HOUR).await;
        near_target(&format!("seed {seed}, slow"), measured["slow"], &options);
        near_target(&format!("seed {seed}, busy"), measured["busy"], &options);
        assert_eq!(world.probability("crowded", "op"), 0.001, "no less than the least");
    }
}

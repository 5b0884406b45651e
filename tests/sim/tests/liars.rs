//! Suppliers that sign and do not keep, or keep and do not give.

use bitdust_model::status::Protection;
use bitdust_sim::{Failure, Lie};
use bitdust_sim_stories::{DAY, Stage};

#[test]
fn an_empty_promise_is_found_by_the_next_check() -> Result<(), Failure> {
    let mut stage = Stage::new(1, 4);
    stage.world.set_lie(stage.suppliers[1], Lie::KeepsNothing);
    stage.back_up()?;
    stage.world.run_for(2 * DAY)?;
    let view = stage.world.view(stage.customer).expect("it is up");
    let suspect = view
        .suppliers
        .iter()
        .filter(|supplier| supplier.suspect)
        .count();
    stage
        .world
        .expect(suspect == 1, || "the liar is suspect".to_owned())?;
    let told = Protection::Stored {
        confirmed: 3,
        needed: 4,
    };
    stage
        .world
        .expect(view.protection == told, || format!("{:?}", view.protection))?;
    stage.restore()
}

#[test]
fn as_many_liars_as_shards_to_spare_change_nothing_that_comes_back() -> Result<(), Failure> {
    for lie in [Lie::KeepsNothing, Lie::WrongBytes, Lie::Forges] {
        for seed in 0..5 {
            let mut stage = Stage::new(seed, 6);
            stage.back_up()?;
            stage.settle()?;
            for supplier in stage.suppliers.iter().take(4) {
                stage.world.set_lie(*supplier, lie);
                if lie == Lie::KeepsNothing {
                    stage.world.lose_shards(*supplier);
                }
            }
            stage.restore()?;
        }
    }
    Ok(())
}

#[test]
fn one_liar_more_and_the_restore_says_what_is_missing() -> Result<(), Failure> {
    let mut stage = Stage::new(3, 6);
    stage.back_up()?;
    stage.settle()?;
    for supplier in stage.suppliers.iter().take(5) {
        stage.world.set_lie(*supplier, Lie::WrongBytes);
    }
    let job = stage.world.restore(stage.customer);
    stage
        .world
        .finish(stage.customer, job, bitdust_sim_stories::LIMIT)?;
    let restored = stage.world.restored(stage.customer, job);
    stage
        .world
        .expect(restored.is_empty(), || "nothing that can be had".to_owned())?;
    stage
        .world
        .expect(stage.world.problems(stage.customer, job) > 0, || {
            "problems".to_owned()
        })
}

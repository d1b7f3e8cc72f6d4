-- A region sees what others hold of its own log: it signed that itself, and it is how its own log is held against them.
create policy see_of_us on slagkracht.held_checkpoint for select
    using (world = slagkracht.world() and chain = slagkracht.own());

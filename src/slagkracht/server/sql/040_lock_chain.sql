-- Takes the lock of a chain until the transaction ends, and then, in one go, reads the moment and the last entry.
-- Volatile: what another transaction appended while this one waited for the lock is seen.
create function slagkracht.lock_chain(of_world text, of_chain text, out now timestamptz, out line text)
    language plpgsql volatile as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(of_world || '/' || of_chain, 0));
    now := clock_timestamp();
    line := (select e.line from slagkracht.event e where e.world = of_world and e.chain = of_chain
             order by e.number desc limit 1);
end $$;
revoke all on function slagkracht.lock_chain(text, text) from public;
grant execute on function slagkracht.lock_chain(text, text) to slagkracht_app;

-- What was said stands: what ended stays ended, what was closed, found or told is not told anew, and a fact follows the one
-- before it. Held here for every table that a region writes, as for requests, offers and commitments.

revoke insert on slagkracht.event from slagkracht_app;
grant insert (world, chain, number, audience, kind, happened_at, recorded_at, actor, body, hash, line)
    on slagkracht.event to slagkracht_app;
revoke update on slagkracht.subscription, slagkracht.delivery, slagkracht.received, slagkracht.shortfall
    from slagkracht_app;
grant update (ended_at, gone, place_tx, place_chain, place_number) on slagkracht.subscription to slagkracht_app;
grant update (tries, next_at, told_at, failed) on slagkracht.delivery to slagkracht_app;
grant update (found_at, content) on slagkracht.shortfall to slagkracht_app;

-- The next entry of a chain bears its number, is sealed onto the one before, and says the same in every column.
create function slagkracht.guard_chain() returns trigger language plpgsql security definer
    set search_path = slagkracht, pg_temp as $$
declare last slagkracht.event; told jsonb := new.line;
begin
    select * into last from slagkracht.event e where e.world = new.world and e.chain = new.chain
        order by e.number desc limit 1;
    if new.number <> coalesce(last.number, 0) + 1
       or told->>'previous_hash' is distinct from coalesce(last.hash, repeat('0', 64))
       or new.recorded_at < last.recorded_at or new.recorded_at > greatest(clock_timestamp(), last.recorded_at)
       or (told->>'chain', (told->>'number')::bigint, told->>'kind', told->>'actor', told->'body', told->>'hash')
          is distinct from (new.chain, new.number, new.kind, new.actor, new.body, new.hash)
       or ((told->>'happened_at')::timestamptz, (told->>'recorded_at')::timestamptz)
          is distinct from (new.happened_at, new.recorded_at)
       or new.hash <> encode(sha256(convert_to(replace(new.line, '"hash":"' || new.hash || '",', ''), 'UTF8')), 'hex')
    then
        raise exception 'dit feit volgt niet op het laatste van logboek %', new.chain using errcode = 'P0001';
    end if;
    return new;
end $$;
create trigger guard_chain before insert on slagkracht.event
    for each row execute function slagkracht.guard_chain();

create policy of_what_stands on slagkracht.checkpoint as restrictive for insert to slagkracht_app with check (exists (
    select 1 from slagkracht.event e where e.world = checkpoint.world and e.chain = checkpoint.chain
      and e.number = checkpoint.number and e.hash = checkpoint.hash));

create function slagkracht.guard_ended() returns trigger language plpgsql as $$
begin
    if old.ended_at is not null and new.ended_at is distinct from old.ended_at then
        raise exception 'wat beëindigd is blijft beëindigd' using errcode = 'P0001';
    end if;
    return new;
end $$;
create trigger guard_ended before update on slagkracht.consent for each row execute function slagkracht.guard_ended();
create trigger guard_ended before update on slagkracht.subscription
    for each row execute function slagkracht.guard_ended();

drop policy end_own on slagkracht.access_key;
create policy end_own on slagkracht.access_key for update
    using (world = slagkracht.world() and region = slagkracht.own() and until > now()) with check (until <= now());

-- Nobody lets more be delivered than he may read.
create policy up_to_class on slagkracht.subscription as restrictive for insert to slagkracht_app
    with check (slagkracht.rank(information_class) <= (select slagkracht.clearance()));

create function slagkracht.guard_told() returns trigger language plpgsql as $$
begin
    if old.told_at is not null then
        raise exception 'wat bezorgd of opgegeven is wordt niet anders verteld' using errcode = 'P0001';
    end if;
    return new;
end $$;
create trigger guard_told before update on slagkracht.delivery for each row execute function slagkracht.guard_told();

create function slagkracht.guard_line() returns trigger language plpgsql as $$
begin
    if exists (select 1 from slagkracht.request q where q.request_id = new.request_id and q.closed_at is not null) then
        raise exception 'aanvraag % is gesloten: wat onvervuld bleef houdt zijn reden', new.request_id
            using errcode = 'P0001';
    end if;
    return new;
end $$;
create trigger guard_line before update of met, unmet, unmet_reason on slagkracht.request_line
    for each row execute function slagkracht.guard_line();

-- The gap is asked by whoever acts and found once, by the platform itself; what was broken off may be asked again.
create policy asked_unanswered on slagkracht.shortfall as restrictive for insert to slagkracht_app
    with check (content is null);
create policy found_by_platform on slagkracht.shortfall as restrictive for update to slagkracht_app
    using (content is null or content::jsonb ? 'afgebroken')
    with check (content is null or (slagkracht.account() is null and slagkracht.own() = 'LAC'));

alter table slagkracht.document add constraint kept_as_made
    check (sha256 = encode(sha256(content), 'hex')) not valid;

create policy by_the_minister on slagkracht.claim as restrictive for update to slagkracht_app
    using (slagkracht.account() is null or slagkracht.holds('minister'));

create policy of_what_was_decided on slagkracht.board_decision as restrictive for insert to slagkracht_app with check (
    region <> 'LAC' and decided_on <= (clock_timestamp() at time zone 'Europe/Amsterdam')::date);

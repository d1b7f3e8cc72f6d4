-- What a region leaves out of what it shares is left out of its log too: a fact that tells it is not shared. A fact is
-- shown whole or not at all, for its hash is over the whole; who takes part in it (audience) sees it as before.

alter policy see on slagkracht.event using (
    world = slagkracht.world() and (chain = slagkracht.own() or slagkracht.own() = any (audience)
        or (slagkracht.shares(chain, 'volledig')
            and not (body ?| array['move_up', 'station', 'kazerne'] and slagkracht.redacts(chain, 'kazerne'))
            and not (body ?| array['crew', 'bezetting'] and slagkracht.redacts(chain, 'bezetting')))));

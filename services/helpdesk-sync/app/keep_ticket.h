// The second use case: the ticket of a cause says what waits for it, and is solved when nothing does.
//
// Called for one cause at a time (its events have one key), so the ticket has one writer. How many events there are does not
// matter: each looks at what is known now, and one ticket is written at most once in `update_every`. Owned by the service; any
// handler thread; blocks for two queries and, where something changes, for two or three calls.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/kit/outcome.h>
#include <functional>
#include <string>

#include "app/ports.h"

namespace helpdesk_sync {

class KeepTicket {
public:
    struct Ports {
        Tickets& tickets;
        HelpDesk& desk;
        std::function<void(Action, Trouble)> written;
        core::Clock& clock;
    };
    // `helpdesk`: the deployment, part of every key in the help desk.
    KeepTicket(Ports ports, std::string helpdesk, Pace pace)
        : ports_(std::move(ports)), helpdesk_(std::move(helpdesk)), pace_(pace) {}

    // `order`: the one whose trouble began or ended.
    [[nodiscard]] kit::Outcome run(const Cause& cause, const OrderKey& order, kit::Delivery& delivery);

private:
    [[nodiscard]] core::Result<kit::EffectRecord> write(Action action, const Ticket& ticket, const Affected& affected,
                                                        const Cause& cause, const OrderKey& order,
                                                        const core::Deadline& deadline);

    Ports ports_;
    const std::string helpdesk_;
    const Pace pace_;
};

}  // namespace helpdesk_sync

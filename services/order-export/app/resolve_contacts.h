// The contact and addresses of an order in the target: found or created exactly once, also when a hundred orders of one customer
// come at the same moment.
//
// Each contact has a shared intent of its own: the one who gets it creates, the others come back within seconds, holding neither
// lock nor connection (kind conflict, "intent_busy"). Two buyers with one e-mail also share the intent of the e-mail, so that the
// second finds what the first has made. What is known is kept in a bounded memory, so a known customer costs nothing.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <set>
#include <unordered_map>

#include "app/ports.h"

namespace order_export {

class ResolveContacts {
public:
    ResolveContacts(ErpParties& parties, const core::Clock& clock, std::size_t remembered_max)
        : parties_(parties), clock_(clock), remembered_max_(remembered_max) {}

    struct Resolved {
        ErpContacts contacts;
        bool looked_up = false;  // Everything was asked of the target just now; else some of it is remembered.
    };
    [[nodiscard]] core::Result<Resolved> run(const ContactPlan& plan, kit::Delivery& delivery);
    // A remembered record turned out to be gone (deleted or merged by hand): the next run asks the target again.
    void doubt(const ContactPlan& plan);

private:
    struct Party {
        TargetId id;
        std::optional<ErpContacts> created;  // With its addresses, when it was made or found just now.
        bool looked_up = false;
    };
    [[nodiscard]] core::Result<Party> contact(const ContactPlan& plan, kit::Delivery& delivery);
    [[nodiscard]] core::Result<TargetId> find_or_create(const ContactPlan& plan, kit::Delivery& delivery, const kit::Lease& lease,
                                                        std::optional<ErpContacts>& created);
    [[nodiscard]] core::Result<Party> address(const ContactPlan& plan, AddressUse use, const TargetId& contact,
                                              kit::Delivery& delivery);
    [[nodiscard]] kit::EffectOptions shared(const std::string& name);
    [[nodiscard]] std::optional<TargetId> remembered(const std::string& name);
    void remember(const std::string& name, const TargetId& id);

    ErpParties& parties_;
    const core::Clock& clock_;
    const std::size_t remembered_max_;
    std::mutex mutex_;
    std::list<std::pair<std::string, TargetId>> recent_;  // Newest first.
    std::unordered_map<std::string, std::list<std::pair<std::string, TargetId>>::iterator> by_name_;
    std::set<std::string> doubted_;
};

}  // namespace order_export

// The contact and addresses of an order in the target: found or created exactly once, also when a hundred orders of one customer
// come at the same moment.
//
// Each contact has a shared intent of its own: the one who gets it creates, the others come back within seconds, holding neither
// lock nor connection (kind conflict, "intent_busy"). What is known is kept in a bounded memory, so a known customer costs nothing.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <unordered_map>

#include "app/ports.h"

namespace order_export {

class ResolveContacts {
public:
    ResolveContacts(ErpParties& parties, std::size_t remembered_max) : parties_(parties), remembered_max_(remembered_max) {}

    [[nodiscard]] core::Result<ErpContacts> run(const ContactPlan& plan, kit::Delivery& delivery);
    // A remembered record turned out to be gone.
    void forget(const ContactPlan& plan);

private:
    [[nodiscard]] std::optional<TargetId> remembered(const std::string& external_name);
    void remember(const std::string& external_name, const TargetId& id);

    ErpParties& parties_;
    const std::size_t remembered_max_;
    std::mutex mutex_;
    std::list<std::pair<std::string, TargetId>> recent_;  // Newest first.
    std::unordered_map<std::string, std::list<std::pair<std::string, TargetId>>::iterator> by_name_;
};

}  // namespace order_export

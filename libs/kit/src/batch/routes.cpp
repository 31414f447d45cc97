#include "src/batch/routes.h"

#include <syncline/json/writer.h>

#include "src/store/batch_rows.h"

namespace syncline::kit {

void add_batch_routes(AdminRouter& router, postgres::Pool& pool, std::vector<store::Identity> groups) {
    router.route("GET", "/admin/batches", "The stored offset of each partition that is handled in batches.",
                 [&pool, groups = std::move(groups)](const AdminRequest&) {
                     json::Writer out;
                     out.begin_object().key("items").begin_array();
                     for (const auto& who : groups) {
                         const auto positions =
                             store::list_batch_offsets(pool, core::Deadline(core::system_clock(), std::chrono::seconds{10}), who);
                         if (!positions) {
                             return AdminReply::problem(positions.error());
                         }
                         for (const auto& position : *positions) {
                             out.begin_object()
                                 .member("group", who.group)
                                 .member("topic", position.partition.topic)
                                 .member("partition", std::int64_t{position.partition.partition})
                                 .member("next_offset", position.next)
                                 .end_object();
                         }
                     }
                     out.end_array().end_object();
                     return AdminReply::json(std::move(out).take());
                 });
}

}  // namespace syncline::kit

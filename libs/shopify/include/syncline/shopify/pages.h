// Connections read to their end.
//
// A nested connection has a document for its further pages (<Type><Member>Page.graphql); what lists of ids stand for has one, too
// (OrderRefunds, OrderFulfillments). complete() follows both, so that a caller sees whole lists however long they are. A further
// page without its document is a bug, never a shorter list.
//
// Any thread; each call blocks for all its pages, at most to the deadline.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/json/document.h>
#include <syncline/shopify/admin.h>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace syncline::shopify {

struct Completed {
    json::Document document;  // `part` with all nodes of all connections, without pageInfo.
    std::size_t further_calls = 0;
};
[[nodiscard]] core::Result<Completed> complete(Admin& admin, const json::Value& part, Priority priority,
                                               const core::Deadline& deadline);

// One page of the top-level connection `member` of the reply.
struct Page {
    json::Value nodes;                // An array.
    std::optional<std::string> next;  // Cursor of the next page.
};
[[nodiscard]] core::Result<Page> page_of(const Reply& reply, std::string_view member);

// Every node of a top-level connection, page by page. `variables` gives those of one page: `after` is JSON (a text or null). An
// Error of `each` ends the walk.
[[nodiscard]] core::Result<void> for_each_node(Admin& admin, const Operation& operation, std::string_view member,
                                               const std::function<std::string(std::string_view after)>& variables,
                                               const std::function<core::Result<void>(const json::Value&)>& each,
                                               Priority priority, const core::Deadline& deadline);

}  // namespace syncline::shopify

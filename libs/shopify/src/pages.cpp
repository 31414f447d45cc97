#include "syncline/shopify/pages.h"

#include <fmt/format.h>
#include <syncline/core/assert.h>
#include <syncline/json/writer.h>
#include <syncline/shopify/gid.h>
#include <utility>
#include <vector>

namespace syncline::shopify {
namespace {

using core::ErrorKind;

// Shopify pages no further than 25,000 objects; the smallest page of ours holds 10.
constexpr std::size_t kPagesMax = 2'600;
constexpr std::size_t kBytesMax = std::size_t{64} << 20U;

std::string name_of(std::string_view type, std::string_view member, std::string_view suffix) {
    std::string name(type);
    if (!member.empty()) {
        name += static_cast<char>(member.front() >= 'a' && member.front() <= 'z' ? member.front() - 'a' + 'A' : member.front());
        name += member.substr(1);
    }
    return name.append(suffix);
}

std::string text_json(std::string_view text) {
    json::Writer out;
    out.begin_array().string(text).end_array();
    const auto array = std::move(out).take();
    return array.substr(1, array.size() - 2);
}

struct PageInfo {
    bool more = false;
    std::string cursor;
};

core::Result<PageInfo> page_info(const json::Value& connection) {
    const auto info = connection.required("pageInfo");
    if (!info) {
        return std::unexpected(info.error());
    }
    const auto more = info->boolean_of("hasNextPage");
    if (!more) {
        return std::unexpected(more.error());
    }
    PageInfo read{.more = *more, .cursor = {}};
    if (read.more) {
        const auto cursor = info->string_of("endCursor");
        if (!cursor) {
            return std::unexpected(cursor.error());
        }
        read.cursor = std::string(*cursor);
    }
    return read;
}

// Copies a tree and fetches what it lacks on the way.
class Completion {
public:
    Completion(Admin& admin, Priority priority, const core::Deadline& deadline)
        : admin_(admin), priority_(priority), deadline_(deadline) {}

    // `owner`: gid of the nearest object around that has one.
    core::Result<void> copy(const json::Value& value, std::string_view owner) {
        if (out_.view().size() > kBytesMax) {
            return core::fail(ErrorKind::rejected, "reply_too_large", "all pages together are too large");
        }
        if (value.is_object()) {
            return copy_object(value, owner);
        }
        if (!value.is_array()) {
            out_.value(value);
            return {};
        }
        out_.begin_array();
        for (const auto element : value.elements()) {
            if (auto done = copy(element, owner); !done) {
                return done;
            }
        }
        out_.end_array();
        return {};
    }

    [[nodiscard]] std::size_t calls() const { return calls_; }
    [[nodiscard]] std::string take() && { return std::move(out_).take(); }

private:
    core::Result<void> copy_object(const json::Value& object, std::string_view owner) {
        const auto id = object.string_of("id");
        const std::string_view own = id ? *id : owner;
        out_.begin_object();
        for (const auto member : object.members()) {
            out_.key(member.name);
            core::Result<void> done;
            if (member.value.is_object() && member.value.get("pageInfo")) {
                done = copy_connection(member.value, own, member.name);
            } else if (member.value.is_array() && expansion(own, member.name) != nullptr) {
                done = copy_expanded(member.value, *expansion(own, member.name));
            } else {
                done = copy(member.value, own);
            }
            if (!done) {
                return done;
            }
        }
        out_.end_object();
        return {};
    }

    // The document that fetches one element of a list of ids.
    static const Operation* expansion(std::string_view owner, std::string_view member) {
        const auto type = type_of(owner);
        return type.empty() ? nullptr : find_operation(name_of(type, member, ""));
    }

    core::Result<void> copy_expanded(const json::Value& list, const Operation& operation) {
        out_.begin_array();
        for (const auto element : list.elements()) {
            const auto id = element.string_of("id");
            if (!id) {
                return std::unexpected(id.error());
            }
            auto reply = call(operation, fmt::format(R"({{"id":{}}})", text_json(*id)));
            if (!reply) {
                return std::unexpected(std::move(reply.error()));
            }
            const auto node = reply->data().get_present("node");
            if (!node) {
                return core::fail(ErrorKind::conflict, "node_vanished",
                                  fmt::format("{} is gone while it is read", operation.name));
            }
            if (auto done = copy(*node, *id); !done) {
                return done;
            }
        }
        out_.end_array();
        return {};
    }

    core::Result<void> copy_nodes(const json::Value& connection, std::string_view owner) {
        const auto nodes = connection.required("nodes");
        if (!nodes || !nodes->is_array()) {
            return std::unexpected(connection.malformed("connection_malformed", "has no nodes"));
        }
        for (const auto node : nodes->elements()) {
            if (auto done = copy(node, owner); !done) {
                return done;
            }
        }
        return {};
    }

    core::Result<void> copy_connection(const json::Value& connection, std::string_view owner, std::string_view member) {
        out_.begin_object().key("nodes").begin_array();
        if (auto done = copy_nodes(connection, owner); !done) {
            return done;
        }
        auto info = page_info(connection);
        const Operation* further = nullptr;
        for (std::size_t page = 1; info && info->more; ++page) {
            if (further == nullptr) {
                const auto name = name_of(type_of(owner), member, "Page");
                further = find_operation(name);
                if (further == nullptr) {
                    return core::fail(ErrorKind::bug, "connection_not_paged", fmt::format("there is no document {}", name));
                }
            }
            if (page >= kPagesMax) {
                return core::fail(ErrorKind::rejected, "too_many_pages", fmt::format("{} has too many pages", further->name));
            }
            auto reply = call(*further, fmt::format(R"({{"id":{},"after":{}}})", text_json(owner), text_json(info->cursor)));
            if (!reply) {
                return std::unexpected(std::move(reply.error()));
            }
            const auto node = reply->data().get_present("node");
            const auto next = node ? node->get_present(member) : std::nullopt;
            if (!next) {
                return core::fail(ErrorKind::conflict, "node_vanished",
                                  fmt::format("{} is gone while it is read", further->name));
            }
            if (auto done = copy_nodes(*next, owner); !done) {
                return done;
            }
            auto after = page_info(*next);
            if (after && after->more && after->cursor == info->cursor) {
                return core::fail(ErrorKind::conflict, "cursor_stuck",
                                  fmt::format("{} gives the same page again", further->name));
            }
            info = std::move(after);
        }
        if (!info) {
            return std::unexpected(std::move(info.error()));
        }
        out_.end_array().end_object();
        return {};
    }

    core::Result<Reply> call(const Operation& operation, std::string variables) {
        ++calls_;
        return admin_.call(operation, {.json = std::move(variables)}, priority_, deadline_);
    }

    Admin& admin_;
    const Priority priority_;
    const core::Deadline deadline_;
    json::Writer out_;
    std::size_t calls_ = 0;
};

}  // namespace

core::Result<Completed> complete(Admin& admin, const json::Value& part, Priority priority, const core::Deadline& deadline) {
    Completion completion(admin, priority, deadline);
    if (auto done = completion.copy(part, ""); !done) {
        return std::unexpected(std::move(done.error()));
    }
    const auto calls = completion.calls();
    auto document = json::Document::parse(std::move(completion).take(), {.bytes_max = 2 * kBytesMax});
    if (!document) {
        return std::unexpected(std::move(document.error()));
    }
    return Completed{.document = std::move(*document), .further_calls = calls};
}

core::Result<Page> page_of(const Reply& reply, std::string_view member) {
    const auto connection = reply.data().required(member);
    if (!connection) {
        return std::unexpected(connection.error());
    }
    const auto nodes = connection->required("nodes");
    if (!nodes || !nodes->is_array()) {
        return std::unexpected(connection->malformed("connection_malformed", "has no nodes"));
    }
    auto info = page_info(*connection);
    if (!info) {
        return std::unexpected(std::move(info.error()));
    }
    return Page{.nodes = *nodes, .next = info->more ? std::optional(std::move(info->cursor)) : std::nullopt};
}

core::Result<void> for_each_node(Admin& admin, const Operation& operation, std::string_view member,
                                 const std::function<std::string(std::string_view after)>& variables,
                                 const std::function<core::Result<void>(const json::Value&)>& each, Priority priority,
                                 const core::Deadline& deadline) {
    std::string after = "null";
    for (std::size_t pages = 0; pages < kPagesMax; ++pages) {
        auto reply = admin.call(operation, {.json = variables(after)}, priority, deadline);
        if (!reply) {
            return std::unexpected(std::move(reply.error()));
        }
        auto page = page_of(*reply, member);
        if (!page) {
            return std::unexpected(std::move(page.error()));
        }
        for (const auto node : page->nodes.elements()) {
            if (auto done = each(node); !done) {
                return done;
            }
        }
        if (!page->next) {
            return {};
        }
        auto next = text_json(*page->next);
        if (next == after) {
            return core::fail(ErrorKind::conflict, "cursor_stuck", fmt::format("{} gives the same page again", operation.name));
        }
        after = std::move(next);
    }
    return core::fail(ErrorKind::rejected, "too_many_pages", fmt::format("{} has too many pages", operation.name));
}

}  // namespace syncline::shopify

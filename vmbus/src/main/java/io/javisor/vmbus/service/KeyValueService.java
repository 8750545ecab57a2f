package io.javisor.vmbus.service;

import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Exchanges keys and values with the guest, whose daemon (hv_kvp_daemon) keeps them in files below /var/lib/hyperv. Without the
 * daemon the guest's driver answers nothing for 55 s, and later fails each question after 30 s.
 */
public final class KeyValueService extends IntegrationService {
    /** Where an item lives. */
    public enum Pool {
        /** Written by the host, read by the guest. */
        EXTERNAL(0),
        /** Written by the guest, read by the host. */
        GUEST(1),
        /** What the guest tells of itself: names, versions and addresses. */
        INTRINSIC(2);

        private final int code;

        Pool(int code) {
            this.code = code;
        }
    }

    /** Items of a pool that are read at most. */
    public static final int MAX_ITEMS = 1_024;

    /** How long a question may take: beyond the 55 s that the guest's driver waits for its daemon. */
    public static final Duration LIMIT = Duration.ofSeconds(90);

    private static final int STATUS_NO_MORE_ITEMS = 0x8007_0103; // HV_S_CONT
    private static final int STATUS_FAIL = 0x8000_4005; // HV_E_FAIL
    private static final int STATUS_NOT_FOUND = 0x8004_1002; // HV_GUID_NOTFOUND

    /** A service that has not been offered yet. */
    public KeyValueService() {
        super(
                "kvp",
                "a9a0f4e7-5a45-4d96-b827-8a841e8c03e6",
                "242ff919-07db-4180-9c2e-b86cb68c8c55",
                IcMessage.KEY_VALUE_EXCHANGE,
                List.of(new IcVersion(1, 0), new IcVersion(3, 0), new IcVersion(4, 0)));
    }

    /**
     * Writes an item where the guest can read it.
     *
     * @param key 1 to 255 UTF-16 characters
     * @param value at most 1,023
     * @throws IllegalArgumentException if one is too long
     */
    public CompletableFuture<Void> set(String key, String value) {
        return tell(KvpMessage.set(Pool.EXTERNAL.code, checked(key), value), LIMIT);
    }

    /** Deletes an item that the host wrote; fails if it is not there. */
    public CompletableFuture<Void> delete(String key) {
        return tell(KvpMessage.delete(Pool.EXTERNAL.code, checked(key)), LIMIT);
    }

    /**
     * Reads one item; empty if it is not there. It reads the pool: Linux's driver takes the answer to a question for one item
     * (KVP_OP_GET) from where only enumerations have theirs, four bytes too far (drivers/hv/hv_kvp.c).
     */
    public CompletableFuture<Optional<String>> get(Pool pool, String key) {
        String wanted = checked(key);
        return enumerate(pool).thenApply(items -> Optional.ofNullable(items.get(wanted)));
    }

    /** Reads a pool, at most {@value #MAX_ITEMS} items, in the guest's order. */
    public CompletableFuture<Map<String, String>> enumerate(Pool pool) {
        return enumerate(pool, 0, new LinkedHashMap<>());
    }

    private CompletableFuture<Map<String, String>> enumerate(Pool pool, int index, Map<String, String> items) {
        return ask(KvpMessage.enumerate(pool.code, index), LIMIT).thenCompose(answer -> {
            if (index > 0 ? isEnd(answer.status()) : answer.status() == STATUS_NO_MORE_ITEMS) {
                return CompletableFuture.completedFuture(Collections.unmodifiableMap(items));
            }
            KvpMessage.Item item = KvpMessage.enumerated(check(answer).body());
            items.put(item.key(), item.value());
            return index + 1 < MAX_ITEMS
                    ? enumerate(pool, index + 1, items)
                    : CompletableFuture.completedFuture(Collections.unmodifiableMap(items));
        });
    }

    private static boolean isEnd(int status) {
        return status == STATUS_NO_MORE_ITEMS || status == STATUS_FAIL || status == STATUS_NOT_FOUND;
    }

    private static String checked(String key) {
        if (key.isEmpty() || key.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("key \"" + key + "\"");
        }
        return key;
    }

    @Override
    void saveMore(StateWriter out) {
        // The guest keeps the items.
    }

    @Override
    void restoreMore(StateReader in) {
        // See saveMore.
    }
}

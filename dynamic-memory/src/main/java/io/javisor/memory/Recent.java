package io.javisor.memory;

import java.util.ArrayDeque;
import java.util.List;

/** The last few of many things, oldest first. Safe from any thread. */
final class Recent<T> {
    private final int most;
    private final ArrayDeque<T> items = new ArrayDeque<>(); // guarded by this

    Recent(int most) {
        this.most = most;
    }

    synchronized void add(T item) {
        if (items.size() == most) {
            items.remove();
        }
        items.add(item);
    }

    synchronized List<T> list() {
        return List.copyOf(items);
    }
}

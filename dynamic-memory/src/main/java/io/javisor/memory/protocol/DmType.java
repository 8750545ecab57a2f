package io.javisor.memory.protocol;

/** Types of messages (enum dm_message_type). */
final class DmType {
    static final int ERROR = 0;
    static final int VERSION_REQUEST = 1;
    static final int VERSION_RESPONSE = 2;
    static final int CAPABILITIES_REPORT = 3;
    static final int CAPABILITIES_RESPONSE = 4;
    static final int STATUS_REPORT = 5;
    static final int BALLOON_REQUEST = 6;
    static final int BALLOON_RESPONSE = 7;
    static final int UNBALLOON_REQUEST = 8;
    static final int UNBALLOON_RESPONSE = 9;
    static final int HOT_ADD_REQUEST = 10;
    static final int HOT_ADD_RESPONSE = 11;
    static final int INFORMATION = 12;

    /** Bytes of the header that every message begins with. */
    static final int HEADER = 8;

    private DmType() {}
}

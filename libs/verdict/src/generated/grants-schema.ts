// Written by policies/schemas.mjs from policies/schemas/grants.json.
export const grantsSchema: object = {
  title: 'grants',
  description: 'Who may do what on what. Grants add up.',
  type: 'array',
  maxItems: 10000,
  items: {
    type: 'object',
    properties: {
      name: {
        type: 'string',
        minLength: 1,
        maxLength: 200,
        description: 'Unique; shown as the rule behind an allow or a hold.',
      },
      who: {
        type: 'object',
        properties: {
          subjects: {
            type: 'array',
            minItems: 1,
            maxItems: 1000,
            items: {
              type: 'string',
              minLength: 1,
              maxLength: 512,
              pattern: '^[^\\\\]+$',
            },
          },
          groups: {
            type: 'array',
            minItems: 1,
            maxItems: 1000,
            items: {
              type: 'string',
              minLength: 1,
              maxLength: 512,
              pattern: '^[^\\\\]+$',
            },
          },
          kinds: {
            type: 'array',
            minItems: 1,
            items: {
              type: 'string',
              enum: ['workload', 'person'],
            },
          },
          providers: {
            type: 'array',
            minItems: 1,
            maxItems: 1000,
            items: {
              type: 'string',
              minLength: 1,
              maxLength: 200,
            },
          },
          issuers: {
            type: 'array',
            minItems: 1,
            maxItems: 1000,
            items: {
              type: 'string',
              minLength: 1,
              maxLength: 200,
            },
          },
          actors: {
            type: 'array',
            minItems: 1,
            maxItems: 1000,
            items: {
              type: 'string',
              minLength: 1,
              maxLength: 512,
              pattern: '^[^\\\\]+$',
            },
          },
        },
        additionalProperties: false,
        minProperties: 1,
        description: 'Every key given must hold; within a list one entry is enough. `actors` is the chain of who acts for the subject.',
      },
      on: {
        type: 'object',
        properties: {
          names: {
            type: 'array',
            minItems: 1,
            maxItems: 1000,
            items: {
              type: 'string',
              minLength: 1,
              maxLength: 512,
              pattern: '^[^\\\\]+$',
            },
          },
          kinds: {
            type: 'array',
            minItems: 1,
            maxItems: 1000,
            items: {
              type: 'string',
              minLength: 1,
              maxLength: 200,
            },
          },
          labels: {
            type: 'object',
            minProperties: 1,
            additionalProperties: {
              type: 'string',
              minLength: 1,
              maxLength: 512,
              pattern: '^[^\\\\]+$',
            },
          },
        },
        additionalProperties: false,
        minProperties: 1,
        description: 'Every key given must hold.',
      },
      allow: {
        type: 'array',
        minItems: 1,
        maxItems: 1000,
        items: {
          type: 'string',
          maxLength: 200,
          pattern: '^(\\*|[a-z][a-z0-9_-]*(\\.[A-Za-z0-9_-]+)*)$',
        },
        description: "Class nodes that are allowed. `*` is everything the default rules don't forbid.",
      },
      hold: {
        type: 'array',
        minItems: 1,
        maxItems: 1000,
        items: {
          type: 'string',
          maxLength: 200,
          pattern: '^(\\*|[a-z][a-z0-9_-]*(\\.[A-Za-z0-9_-]+)*)$',
        },
        description: 'Class nodes that are allowed after approval, and not without.',
      },
      approval: {
        type: 'object',
        properties: {
          groups: {
            type: 'array',
            minItems: 1,
            maxItems: 1000,
            items: {
              type: 'string',
              minLength: 1,
              maxLength: 200,
            },
          },
          count: {
            type: 'integer',
            minimum: 1,
            maximum: 100,
          },
          window: {
            type: 'string',
            description: 'How long an approval is good for, as `10m`, `1h30m`, `90s`.',
          },
          windowMs: {
            type: 'integer',
            minimum: 1,
            maximum: 2592000000,
            description: 'What `window` becomes, in milliseconds.',
          },
          workloads: {
            type: 'boolean',
            description: 'Workloads may approve too.',
          },
        },
        additionalProperties: false,
        required: ['groups'],
        description: 'Who approves what `hold` holds.',
      },
      mask: {
        type: 'array',
        minItems: 1,
        maxItems: 10000,
        items: {
          type: 'object',
          properties: {
            column: {
              type: 'string',
              maxLength: 300,
              pattern: '^[^.*]+\\.[^.*]+\\.[^.*]+$',
              description: 'schema.table.column, as the catalog spells it.',
            },
            with: {
              enum: ['redact', 'null', 'partial', 'hash', null],
              description: "YAML's own null is taken for the word.",
            },
          },
          additionalProperties: false,
          required: ['column', 'with'],
        },
        description: 'Applies to whoever the grant matches, whatever else is granted.',
      },
      tables: {
        type: 'array',
        minItems: 1,
        maxItems: 10000,
        items: {
          type: 'string',
          maxLength: 300,
          pattern: '^[^.\\\\]+\\.[^.\\\\]+$',
        },
        description: 'Narrows the grant to these tables, as schema.table; both may be globs.',
      },
      limits: {
        type: 'object',
        properties: {
          rows: {
            type: 'integer',
            minimum: 1,
          },
        },
        additionalProperties: false,
        minProperties: 1,
        description: 'The smallest of all matching grants applies.',
      },
      credential: {
        type: 'string',
        minLength: 1,
        maxLength: 200,
        description: 'The credential profile of the resource.',
      },
      rules: {
        enum: ['off'],
        description: 'Lifts every default rule for what this grant permits. For a test database.',
      },
      lift: {
        type: 'array',
        minItems: 1,
        maxItems: 100,
        items: {
          type: 'string',
          pattern: '^sallyport\\.rules\\.[a-z0-9_]+\\.[a-z0-9_]+$',
        },
        description: 'Default rules, by path, that are lifted for what this grant permits.',
      },
    },
    additionalProperties: false,
    required: ['name', 'who', 'on'],
    dependencies: {
      hold: ['approval'],
      approval: ['hold'],
    },
  },
};

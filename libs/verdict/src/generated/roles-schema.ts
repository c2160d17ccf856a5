// Written by policies/schemas.mjs from policies/schemas/roles.json.
export const rolesSchema: object = {
  title: 'roles',
  description: 'Who is what in the console.',
  type: 'object',
  properties: {
    viewer: {
      type: 'object',
      properties: {
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
      },
      additionalProperties: false,
      minProperties: 1,
    },
    approver: {
      type: 'object',
      properties: {
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
      },
      additionalProperties: false,
      minProperties: 1,
    },
    operator: {
      type: 'object',
      properties: {
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
      },
      additionalProperties: false,
      minProperties: 1,
    },
    auditor: {
      type: 'object',
      properties: {
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
      },
      additionalProperties: false,
      minProperties: 1,
    },
  },
  additionalProperties: false,
};

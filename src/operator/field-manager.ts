// Under which name the API server notes what the operator has written.
export const fieldManager = 'paycert-operator';
